"""Marks a text as one that people read, for the translators. The rules name no Django: who shows
the text translates it."""

__all__ = ["gettext_noop"]


def gettext_noop(text: str) -> str:
    """The text itself; `makemessages` finds it by this name."""
    return text
