"""Translated sentences that hold links."""

from levity.pages.kit.formats import badge
from levity.pages.kit.sentences import sentence


def test_values_stay_markup_and_everything_else_is_text() -> None:
    word = badge("reserved", "")
    assert sentence("{word} <b>für</b> {tag}", tag="<i>", word=word) == (
        f"{word} &lt;b&gt;für&lt;/b&gt; &lt;i&gt;"
    )


def test_values_in_turn() -> None:
    assert sentence("for {}{} until {}", "A", " (any)", "12:00") == "for A (any) until 12:00"
