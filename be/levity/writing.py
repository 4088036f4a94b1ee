"""How numbers and errors are written in each language. Names no Django: what makes PDF files loads
little."""

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

__all__ = [
    "LANGUAGES",
    "WRITTEN",
    "Phrase",
    "Worded",
    "as_sentence",
    "gettext_noop",
    "language_or_english",
    "number",
    "with_signs",
    "words_in",
]

ENGLISH, GERMAN, FRENCH, DUTCH = LANGUAGES = ("en", "de", "fr", "nl")
MARKS_OF_NAMES = frozenset("0123456789-_./@")
# Thousands, decimals, and how a day is written.
WRITTEN = {
    ENGLISH: (",", ".", "%d %b %Y"),
    GERMAN: (".", ",", "%d.%m.%Y"),
    FRENCH: ("\u00a0", ",", "%d/%m/%Y"),
    DUTCH: (".", ",", "%d-%m-%Y"),
}


def gettext_noop(text: str) -> str:
    """The text itself; `makemessages` finds it by this name, in modules that name no Django."""
    return text


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


class Phrase:
    """A sentence or a part of one, English as `str`: `text` with its words, for a catalog. A word
    may be a `Phrase`, too."""

    def __init__(self, text: str, **words: object) -> None:
        self.text, self.words = text, words

    def __str__(self) -> str:
        return self.in_words(str)

    def in_words(self, translated: Callable[[str], str]) -> str:
        """The same in another language."""
        return translated(self.text) % words_in(self.words, translated)


class Worded(Exception):
    """An error whose text is for people: English, with `%(name)s` for each of `words`, so that a
    page can say it in its reader's language. As `str`, it is English for everybody. A word is what
    stands as it is, a `Phrase`, or a list of texts.

    `about`: what it is about, such as the number of a statement, said before the text.
    """

    def __init__(self, text: str = "", *, about: str = "", **words: object) -> None:
        self.text, self.about, self.words = text, about, words
        super().__init__(self._in(str))

    @property
    def sentence(self) -> str:
        """The text as a sentence of its own."""
        return as_sentence(str(self))

    def sentence_in(self, translated: Callable[[str], str]) -> str:
        """The same in another language: `translated` knows the texts of its catalog."""
        return as_sentence(self._in(translated))

    def _in(self, translated: Callable[[str], str]) -> str:
        text = translated(self.text) if self.text else ""
        said = text % words_in(self.words, translated) if self.words else text
        return f"{self.about}: {said}" if self.about else said


def words_in(words: Mapping[str, object], translated: Callable[[str], str]) -> dict[str, object]:
    """The words of a text in another language, as far as they are texts of the catalog."""
    return {name: _word_in(word, translated) for name, word in words.items()}


def _word_in(word: object, translated: Callable[[str], str]) -> object:
    if isinstance(word, Phrase):
        return word.in_words(translated)
    return ", ".join(map(translated, word)) if isinstance(word, list) else word


def as_sentence(text: str) -> str:
    """With a capital letter and a full stop; the name of a charger keeps its spelling."""
    if text.endswith((".", "!", "?")):
        return text
    first, _, _ = text.partition(" ")
    is_name = not MARKS_OF_NAMES.isdisjoint(first)
    return f"{text[:1] if is_name else text[:1].upper()}{text[1:]}."
