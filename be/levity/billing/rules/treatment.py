"""What becomes of a session that is over: billed, nobody pays, not billed, or it waits and why.

Nothing is billed in silence that may be wrong, and nothing is free in silence.
"""

from levity.billing.rules.words import gettext_noop
from levity_ws.frozen import frozen

__all__ = [
    "BILL",
    "COMMON",
    "DECISIONS",
    "EXCLUDE",
    "EXCLUDED",
    "PRICED",
    "REASONS",
    "WAITS",
    "Decision",
    "Facts",
    "Treatment",
    "treat",
]

PRICED, WAITS, COMMON, EXCLUDED = "priced", "waits", "common", "excluded"
"""What becomes of it."""
BILL, COMMON_TOO, EXCLUDE = "bill", "common", "exclude"
DECISIONS = {
    BILL: gettext_noop("Bill it as it is"),
    COMMON_TOO: gettext_noop("Nobody pays: the house bears it"),
    EXCLUDE: gettext_noop("Do not bill it: the figure is wrong"),
}
"""What a person may decide."""

NOTHING, GIVEN, FREE, DECIDED = "nothing-charged", "given-to-nobody", "free", "decided"
IMPORTED, NO_SIGNATURE = "imported", "no-signature"
DO_NOT_BILL, LOOK, NO_FIGURE = "do-not-bill", "look", "no-figure"
PLUGGED_IN = "plugged-in"
NOBODYS, NO_TARIFF, NO_VERSION, NO_PRICE = "nobodys", "no-tariff", "no-version", "no-price"
REASONS = {
    NOTHING: gettext_noop("Nothing was charged."),
    GIVEN: gettext_noop("A person gave it to nobody."),
    FREE: gettext_noop("Free by the tariff that is for it."),
    DECIDED: gettext_noop("A person decided so."),
    DO_NOT_BILL: gettext_noop(
        "Its figure is wrong. Correct the session, or decide what becomes of it."
    ),
    LOOK: gettext_noop(
        "Its figure may be wrong. Look at the session, then bill it as it is or correct it."
    ),
    NO_FIGURE: gettext_noop("Its energy is not known. Correct the session, or do not bill it."),
    IMPORTED: gettext_noop("Another system recorded it, which may have billed it, too."),
    NO_SIGNATURE: gettext_noop(
        "Its signed values do not show its energy. Enter the key of the meter, look at the "
        "session, or bill it as it is."
    ),
    NOBODYS: gettext_noop(
        "It is no household's. Give the id tag or the charge point to a household from that "
        "day on, or decide who pays."
    ),
    NO_TARIFF: gettext_noop(
        "No tariff is for it. Say on the page “Which tariff is for whom” which one is."
    ),
    NO_VERSION: gettext_noop(
        "Its tariff says nothing for that time. Add a version that holds from before then."
    ),
    PLUGGED_IN: gettext_noop(
        "The car still keeps the place, and its idle fee is not known yet. It is priced when the "
        "plug is out; to bill it before then, with the fee up to the session's end, decide."
    ),
    NO_PRICE: gettext_noop("Its tariff has no price for all of it. Add a version that has."),
}
"""Each reason, and what to do, for people."""


@frozen
class Decision:
    """Of a person, about figures that they saw."""

    what: str
    """One of `DECISIONS`."""
    figures: str
    household: int | None = None


@frozen
class Facts:
    """What is known of a session that is over."""

    figures: str
    """Its energy, confidence and flags as one text: a decision about others has lapsed."""
    category: str
    """`harmless`, `look` or `do-not-bill`: what its flags and confidence ask for."""
    wh: int | None
    """Rounded is enough; None: not known."""
    household: int | None
    """By the rules of who holds what."""
    is_given_to_nobody: bool = False
    has_use: bool = True
    """A tariff is for it, or it is said to be free."""
    is_free: bool = False
    has_version: bool = True
    decision: Decision | None = None
    is_imported: bool = False
    """Another system recorded it."""
    lacks_signature: bool = False
    """Its site bills by signed values, and those of this session do not verify."""


@frozen
class Treatment:
    """What becomes of it."""

    state: str
    reason: str = ""
    household: int | None = None
    is_decided: bool = False


def treat(facts: Facts) -> Treatment:
    """What becomes of the session; `priced` may still lack a price, which only pricing finds."""
    decision = facts.decision
    if decision is not None and decision.figures != facts.figures:
        decision = None
    household = decision.household if decision and decision.household else facts.household
    decided = decision is not None
    if decision and decision.what == COMMON_TOO:
        return Treatment(COMMON, DECIDED, household, decided)
    if decision and decision.what == EXCLUDE:
        return Treatment(EXCLUDED, DECIDED, household, decided)
    if facts.is_given_to_nobody:
        return Treatment(COMMON, GIVEN)
    if facts.is_imported and decision is None:
        return Treatment(EXCLUDED, IMPORTED, household)
    if reason := _why_it_waits(facts, decision is not None and facts.wh is not None):
        if reason == DO_NOT_BILL and facts.wh == 0:
            return Treatment(EXCLUDED, NOTHING, household)
        return Treatment(WAITS, reason, household)
    if facts.is_free:
        return Treatment(COMMON, FREE, household, decided)
    if facts.lacks_signature and decision is None:
        return Treatment(WAITS, NO_SIGNATURE, household)
    if household is None:
        return Treatment(WAITS, NOBODYS)
    if not facts.has_use:
        return Treatment(WAITS, NO_TARIFF, household)
    if not facts.has_version:
        return Treatment(WAITS, NO_VERSION, household)
    return Treatment(PRICED, "", household, decided)


def _why_it_waits(facts: Facts, was_looked_at: bool) -> str:
    """Because of its figure; empty: that is as it should be."""
    if facts.wh is None:
        return NO_FIGURE
    if was_looked_at or facts.category == "harmless":
        return ""
    return DO_NOT_BILL if facts.category == "do-not-bill" else LOOK
