"""Errors for people: English as text, and in the reader's language where a page says them."""

from levity.writing import Phrase, Worded

GERMAN = {
    "%(who)s has %(thing)s: end that first": "%(who)s hat %(thing)s: Beenden Sie das",
    "card %(tag)s": "Karte %(tag)s",
    "enter %(what)s": "tragen Sie %(what)s ein",
    "a town": "einen Ort",
    "a street": "eine Straße",
}


def german(text: str) -> str:
    return GERMAN.get(text, text)


def test_an_error_is_english_as_text_and_its_phrases_are_translated_with_it() -> None:
    error = Worded(
        "%(who)s has %(thing)s: end that first", who="Anna", thing=Phrase("card %(tag)s", tag="04")
    )
    assert str(error) == "Anna has card 04: end that first"
    assert error.sentence_in(german) == "Anna hat Karte 04: Beenden Sie das."


def test_lists_are_lists_of_texts_and_what_it_is_about_stays_as_it_is() -> None:
    error = Worded("enter %(what)s", about="EV-12", what=["a town", "a street"])
    assert error.sentence == "EV-12: enter a town, a street."
    assert error.sentence_in(german) == "EV-12: tragen Sie einen Ort, eine Straße ein."


def test_a_percent_sign_without_words_stays() -> None:
    assert Worded("19 % tax").sentence_in(german) == "19 % tax."
