"""Marks a text as one that people read, for the translators. The rules name no Django: who shows
the text translates it."""

from levity.writing import gettext_noop

__all__ = ["gettext_noop"]
