"""What was odd about a session, a word each; here is what each word means to who bills it.

The flags of a transaction are set where the oddness is seen (actions, energy, middleware); what
each means is in `flag_meanings`.
"""

from collections.abc import Iterable, Iterator

from levity.ocpp.rules.flag_meanings import (
    CLASSES,
    DO_NOT_BILL,
    HARMLESS,
    LOOK,
    MEANINGS,
    Class,
    Flag,
)

__all__ = [
    "CLASSES",
    "DO_NOT_BILL",
    "HARMLESS",
    "LOOK",
    "MEANINGS",
    "Class",
    "Flag",
    "class_of",
    "explained",
    "fitting",
    "of_class",
]


def explained(flags: str) -> Iterator[tuple[str, Flag | None]]:
    """These space-separated flags, each with what it means; None for an extension's own."""
    for flag in flags.split():
        yield flag, MEANINGS.get(flag.partition(":")[0])


def class_of(flags: str, confidence: str = "") -> Class:
    """What a session asks of who bills it: as much as the gravest of its flags does, and a look
    where its figure is of low confidence."""
    found = [flag.category for _, flag in explained(flags) if flag]
    if confidence == "low":
        found.append(LOOK)
    return max(found, key=CLASSES.index, default=HARMLESS)


def of_class(category: Class) -> tuple[str, ...]:
    """The names of the flags of this class."""
    return tuple(name for name, flag in MEANINGS.items() if flag.category == category)


def fitting(flags: Iterable[str], most: int) -> str:
    """The flags with a space between, in at most so many characters.

    Where they are too many the harmless go first, the oldest of them before, and then those that
    ask for a look; at last what carries a value that is needed (`own-id:4711`), and what says that
    a session is not to be billed.
    """
    kept = list(dict.fromkeys(flags))
    while kept and sum(map(len, kept)) + len(kept) - 1 > most:
        kept.remove(min(kept, key=_weight))
    return " ".join(kept)


def _weight(flag: str) -> int:
    name, has_value, _ = flag.partition(":")
    known = MEANINGS.get(name)
    if has_value and known:
        return len(CLASSES)
    category = known.category if known else LOOK
    return len(CLASSES) + 1 if category == DO_NOT_BILL else CLASSES.index(category)
