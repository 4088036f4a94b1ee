"""Translated sentences that hold links and badges."""

from string import Formatter

from django.utils.html import format_html_join

__all__ = ["sentence"]


def sentence(text: str, *values: str, **named: str) -> str:
    """The text with these values in its braces, in its own order. Values that are markup stay so;
    the text, which comes from a catalog, is escaped."""
    in_turn = iter(values)
    return format_html_join(
        "",
        "{}{}",
        (
            (words, "" if name is None else named[name] if name else next(in_turn))
            for words, name, _, _ in Formatter().parse(text)
        ),
    )
