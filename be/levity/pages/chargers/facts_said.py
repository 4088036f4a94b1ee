"""What the rules wrote down with a session, in the language of the page: the facts of its checks,
and why its figures were changed.

They are kept in English, as the rules say them; a text that is none of these stands as it is. A
test holds these against the rules.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo

from django.utils import timezone
from django.utils.translation import get_language, gettext, gettext_noop

from levity.writing import language_or_english, with_signs

__all__ = ["FACTS", "REASONS", "fact_said", "reasons_said"]

FACTS = (
    # Of a session by itself.
    gettext_noop("no StopTransaction arrived"),
    gettext_noop("StartTransaction told no meterStart that can be read"),
    gettext_noop("meterStop - meterStart is %(wh)s Wh"),
    gettext_noop("no meter value reports the register"),
    gettext_noop("1 meter value shows %(wh)s Wh until %(at)s"),
    gettext_noop("%(count)s meter values show %(wh)s Wh until %(at)s"),
    gettext_noop("power was reported, but not over any length of time"),
    gettext_noop("no power flowed"),
    gettext_noop("no power was reported"),
    gettext_noop("power x time says %(wh)s Wh in %(time)s"),
    gettext_noop("at %(watts)s W at most %(wh)s Wh can have flowed"),
    gettext_noop("the charger's clock was not set at the start"),
    gettext_noop("the charger's clock was ahead at the start"),
    gettext_noop("the charger's clock was set in between"),
    gettext_noop("it ended %(time)s before it began"),
    gettext_noop("it lasted %(time)s"),
    gettext_noop(
        "the charger restarted in between, and no meter value shows that its meter went on"
    ),
    gettext_noop("the register rose by %(wh)s Wh after the stop"),
    # Of a session beside the others of its connector.
    gettext_noop("its register can't be compared with others"),
    gettext_noop("no session is known before this one"),
    gettext_noop("one session, whose start was reported twice"),
    gettext_noop("the register went on at %(wh)s Wh"),
    gettext_noop("the register began anew, and went on at %(wh)s Wh"),
    gettext_noop("the register began anew in between"),
    gettext_noop("the register was set back in between"),
    gettext_noop("it began anew at 0, or its start is no reading"),
    gettext_noop("its samples go on from the one before, or count from 0"),
    gettext_noop("%(wh)s Wh more than can have flowed in between"),
    gettext_noop(
        "%(wh)s Wh more than can have flowed in between: another meter, as the samples of both show"
    ),
    gettext_noop("%(wh)s Wh in between belong to no session"),
    gettext_noop("the next start shows %(wh)s Wh more"),
    gettext_noop("the last stop shows %(wh)s Wh more"),
    gettext_noop("both claim %(wh)s Wh, as people decided"),
    gettext_noop("the samples of both show it: another meter in between"),
    gettext_noop("it began %(wh)s Wh later than its start says"),
    gettext_noop("%(wh)s Wh are the next session's as well"),
    # Of what lies in no session.
    gettext_noop("samples outside sessions: %(wh)s to %(until)s Wh"),
    gettext_noop("from the end of a session to the next sample: %(wh)s to %(until)s Wh"),
    gettext_noop("from the last sample to the start of a session: %(wh)s to %(until)s Wh"),
    gettext_noop("from the end of a session to the start of the next: %(wh)s to %(until)s Wh"),
)
REASONS = (
    gettext_noop("The register rose by %(wh)s Wh or more after its stop; these are in no session."),
    gettext_noop("Its neighbours agree with its own figures now."),
    gettext_noop("Its start was told twice: the next session has its energy."),
    gettext_noop("%(wh)s Wh are the next session's: cut at its start."),
    gettext_noop("%(wh)s Wh are the session's before: counted from its stop."),
    gettext_noop("The next start shows %(wh)s Wh more."),
    gettext_noop("The next start shows %(wh)s Wh less."),
    gettext_noop("The stop before shows %(wh)s Wh more."),
    gettext_noop("Its own stop came later; the end that was recorded is another session's."),
    gettext_noop(
        "The next start on the other connector shows that this end is the other session's."
    ),
    gettext_noop("The stops of two connectors fit both sessions, and nothing tells them apart."),
    gettext_noop("Another stop of this session, with another meter value, fits it as well."),
    gettext_noop("A start that came later shows that this end is that session's."),
)
MARKS = frozenset("0123456789,.-")
"""Of which numbers consist."""
UTC_NAME, DIGITS = " UTC", 16
"""How a time ends in the facts of a check, and how long it is before that."""

Shape = tuple[str, tuple[tuple[str, str], ...]]
"""How a text begins, and each of its words with what stands behind it."""


def _shape(text: str) -> Shape:
    first, *rest = text.split("%(")
    return first, tuple(
        (name, behind) for name, _, behind in (part.partition(")s") for part in rest)
    )


_FACTS = [(text, _shape(text)) for text in FACTS]
_REASONS = [(text, _shape(text)) for text in REASONS]


def fact_said(detail: str, zone: tzinfo | None) -> str:
    """The facts of a check, with numbers as this reader writes them, and times by this clock."""
    for text, shape in _FACTS:
        found = _words(shape, detail)
        if found is not None and not found[1]:
            return gettext(text) % _shown(found[0], zone)
    *before, last = detail.split(UTC_NAME)
    return "".join(f"{part[:-DIGITS]}{_local(part[-DIGITS:], zone)}" for part in before) + last


def reasons_said(reason: str) -> str:
    """Why the figures of a session were changed: one sentence or several."""
    return " ".join(_sentences(reason))


def _sentences(reason: str) -> Iterator[str]:
    rest = reason
    while rest:
        met = ((text, _words(shape, rest)) for text, shape in _REASONS)
        text, found = next(((text, found) for text, found in met if found), ("", None))
        if found is None:
            # Another release's, an extension's, or one that was too long to be kept whole.
            yield rest
            return
        yield gettext(text) % _shown(found[0], None)
        rest = found[1].lstrip()


def _words(shape: Shape, text: str) -> tuple[dict[str, str], str] | None:
    """The words of a text that begins in this shape, and what follows; None for any other."""
    first, parts = shape
    if not text.startswith(first):
        return None
    rest, found = text[len(first) :], {}
    for name, behind in parts:
        word, _, after = rest.partition(behind) if behind else (rest, "", "")
        if not _fits(name, word) or (behind and behind not in rest):
            return None
        found[name], rest = word, after
    return found, rest


def _fits(name: str, word: str) -> bool:
    if name == "at":
        return len(word) == DIGITS + len(UTC_NAME) and word.endswith(UTC_NAME)
    if name == "time":
        hours, _, minutes = word.removesuffix(" min").partition(" h ")
        return hours.isdigit() and minutes.isdigit()
    return bool(word) and MARKS.issuperset(word)


def _shown(words: dict[str, str], zone: tzinfo | None) -> dict[str, str]:
    language = language_or_english(get_language())
    shown = {name: with_signs(word, language) for name, word in words.items()}
    if "at" in words:
        shown["at"] = _local(words["at"].removesuffix(UTC_NAME), zone)
    return shown


def _local(text: str, zone: tzinfo | None) -> str:
    """The rules write UTC."""
    try:
        at = datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
        shown = timezone.localtime(at, zone)
    except (OverflowError, ValueError):
        return f"{text}{UTC_NAME}"
    return f"{shown:%Y-%m-%d %H:%M} {shown.tzname()}"
