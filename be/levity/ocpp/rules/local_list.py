"""What to send so that a charger's local list becomes what it should be; pure.

A list is sent in parts: the first as a whole new list, or as changes to the one that is known to be
there. The charger's limits are counts of entries.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from levity_ws.frozen import frozen

__all__ = ["BACKOFF", "DEFAULT_PART", "Entries", "Entry", "Part", "difference", "next_part"]

DEFAULT_PART = 50
"""Entries of one message to a charger that has not said how many it takes."""
BACKOFF = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=3),
    timedelta(hours=12),
)
"""How long to wait after the first, second ... failure in a row; then it is given up."""
LARGEST_VERSION = 2**31 - 1


@frozen
class Entry:
    """What the list says of one tag."""

    status: str
    expires_at: datetime | None = None
    parent: str = ""


Entries = Mapping[str, Entry]


@frozen
class Part:
    """One message about a list."""

    version: int
    is_full: bool
    entries: Sequence[tuple[str, Entry | None]]
    """None: this tag is to be taken off the list."""
    after: Entries
    """The list, once the charger has accepted this."""
    left: int
    """Entries that will differ then."""


def difference(known: Entries, wanted: Entries) -> list[tuple[str, Entry | None]]:
    """What has to change: first what goes, which makes room."""
    gone: list[tuple[str, Entry | None]] = [(tag, None) for tag in known if tag not in wanted]
    return gone + [(tag, entry) for tag, entry in wanted.items() if known.get(tag) != entry]


def next_part(known: Entries | None, wanted: Entries, version: int, size: int) -> Part | None:
    """The next message, of at most `size` entries, to a charger whose list has this version.

    `known`: what is in its list; None if that is not known. None if nothing is to be sent.
    """
    size = max(size, 1)
    is_full = known is None or version <= 0 or version >= LARGEST_VERSION
    if is_full:
        changes: list[tuple[str, Entry | None]] = list(wanted.items())
    else:
        assert known is not None
        changes = difference(known, wanted)
        if not changes:
            return None
        if len(wanted) <= min(size, len(changes)):
            # The whole list is no longer than what changes.
            is_full, changes = True, list(wanted.items())
    if is_full and not wanted and version == 0:
        return None
    now, later = changes[:size], changes[size:]
    after = {} if is_full or known is None else dict(known)
    for tag, entry in now:
        if entry is None:
            after.pop(tag, None)
        else:
            after[tag] = entry
    following = 1 if version >= LARGEST_VERSION else max(version, 0) + 1
    return Part(following, is_full, now, after, len(later))
