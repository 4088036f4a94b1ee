"""How numbers are written in each language. Names no Django: what makes PDF files loads little."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

__all__ = ["LANGUAGES", "WRITTEN", "language_or_english", "number", "with_signs"]

ENGLISH, GERMAN, FRENCH, DUTCH = LANGUAGES = ("en", "de", "fr", "nl")
# Thousands, decimals, and how a day is written.
WRITTEN = {
    ENGLISH: (",", ".", "%d %b %Y"),
    GERMAN: (".", ",", "%d.%m.%Y"),
    FRENCH: ("\u00a0", ",", "%d/%m/%Y"),
    DUTCH: (".", ",", "%d-%m-%Y"),
}


def number(value: Any, decimals: int, language: str) -> str:
    """Rounded commercially, with the language's own signs."""
    exact = Decimal(str(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return with_signs(f"{exact:,f}", language)


def with_signs(text: str, language: str) -> str:
    """A number as Python writes it, 1,013.5, with the language's own signs."""
    thousands, point, _ = WRITTEN[language]
    return text.replace(",", "\0").replace(".", point).replace("\0", thousands)


def language_or_english(language: str | None) -> str:
    """The language of `de`, `de-at` or `en-us`; English for one that Levity does not speak."""
    short = (language or "")[:2]
    return short if short in LANGUAGES else ENGLISH
