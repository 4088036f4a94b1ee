"""Where a session's energy comes from, and how sure it is, in the language of the page."""

from django.utils.translation import gettext, gettext_noop

__all__ = ["confidence_said", "source_said"]

CONFIDENCES = {
    "high": gettext_noop("high confidence"),
    "medium": gettext_noop("medium confidence"),
    "low": gettext_noop("low confidence"),
}
SOURCES = {
    "registers": gettext_noop("registers"),
    "session-register": gettext_noop("session register"),
    "samples": gettext_noop("samples"),
    "corrected": gettext_noop("corrected"),
    "imported": gettext_noop("imported"),
}


def confidence_said(confidence: str) -> str:
    """Such as: high confidence; empty for none."""
    text = CONFIDENCES.get(confidence)
    return gettext(text) if text else f"{confidence} confidence" if confidence else ""


def source_said(source: str) -> str:
    """A source that an extension invents stands as it is."""
    text = SOURCES.get(source)
    return gettext(text) if text else source
