"""How JSON that travelled to or from a charger is shown: readable, escaped, without secrets."""

import json
from typing import Any

from django.utils.html import format_html

from levity.ocpp.wire.masking import without_secrets
from levity.pages.kit.formats import NOTHING, excerpt

__all__ = ["frame_excerpt", "pretty_frame", "pretty_value"]

# OCPP 1.6 security whitepaper, 7.2: the key of Basic authentication.
WRITE_ONLY = "authorizationkey"
# No person reads more on a page, and no browser is glad of 8 MiB.
LONGEST_SHOWN = 64 * 1024


def frame_excerpt(text: str, length: int = 100) -> str:
    """The beginning of a frame for a list."""
    masked = without_secrets(text)
    if masked != text or WRITE_ONLY in text.lower():
        # Only its beginning is at hand: the key may come behind its value.
        return "(contains a secret; open it to see the rest)"
    return excerpt(text, length)


def pretty_frame(text: str) -> str:
    """A whole frame, indented if it is JSON; the beginning of a long one."""
    if not text:
        return NOTHING
    if len(text) > LONGEST_SHOWN:
        return format_html(
            "{}<p>These are the first {} of {} characters. The whole frame is in the file "
            "“Conversation” on the page of its charge point.</p>",
            _block(without_secrets(text[:LONGEST_SHOWN])),
            f"{LONGEST_SHOWN:,}",
            f"{len(text):,}",
        )
    masked = without_secrets(text)
    try:
        document = json.loads(masked)
    except (ValueError, RecursionError):
        # Kept as it came; json also refuses integers of thousands of digits.
        return _block(masked)
    return _pretty(document)


def pretty_value(document: Any) -> str:
    """A JSON value, indented."""
    try:
        return pretty_frame(json.dumps(document))
    except (ValueError, RecursionError):
        return _block("(nested too deeply to show)")


def _pretty(document: Any) -> str:
    try:
        text = json.dumps(document, indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return _block("(nested too deeply to show)")
    # A lone surrogate is legal in JSON and in no encoding.
    return _block(text.encode("utf-8", "backslashreplace").decode())


def _block(text: str) -> str:
    return format_html('<pre class="lv-json" tabindex="0">{}</pre>', text)
