"""How JSON that travelled to or from a charger is shown: readable, escaped, without secrets."""

import json
from typing import Any

from django.utils.html import format_html

from levity.ocpp.admin.formats import NOTHING, excerpt

__all__ = ["frame_excerpt", "pretty_frame", "pretty_value"]

HIDDEN = "(hidden)"
# OCPP 1.6 security whitepaper, 7.2: the key of Basic authentication is write-only.
WRITE_ONLY = "authorizationkey"


def frame_excerpt(text: str, length: int = 100) -> str:
    """The beginning of a frame for a list."""
    if WRITE_ONLY in text.lower():
        return "(holds a secret; open it to see the rest)"
    return excerpt(text, length)


def pretty_frame(text: str) -> str:
    """A whole frame, indented if it is JSON."""
    if not text:
        return NOTHING
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        # Kept as it came; json also refuses integers of thousands of digits.
        return _block(HIDDEN if WRITE_ONLY in text.lower() else text)
    return pretty_value(document)


def pretty_value(document: Any) -> str:
    """A JSON value, indented."""
    try:
        text = json.dumps(_without_secrets(document), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return _block("(nested too deeply to show)")
    # A lone surrogate is legal in JSON and in no encoding.
    return _block(text.encode("utf-8", "backslashreplace").decode())


def _block(text: str) -> str:
    return format_html('<pre class="lv-json" tabindex="0">{}</pre>', text)


def _without_secrets(document: Any) -> Any:
    if isinstance(document, list):
        return [_without_secrets(item) for item in document]
    if not isinstance(document, dict):
        return document
    if str(document.get("key")).lower() == WRITE_ONLY and "value" in document:
        return {**document, "value": HIDDEN}
    return {name: _without_secrets(item) for name, item in document.items()}
