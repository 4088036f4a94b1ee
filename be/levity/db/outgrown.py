"""Plans that were made for tables much smaller than they are now: thrown away, and made anew.

Postgres keeps a forced generic plan until the tables' statistics change, and makes it by the sizes
that the tables have in that moment. A table that is empty and was vacuumed costs nothing to read
in whole: so a worker that connected to a fresh database read the message log from end to end for
each batch, until autovacuum came round. No setting and no statistics keep it from that; so each
connection remembers how large the tables of its statements were, and looks again now and then.
"""

from itertools import pairwise
from typing import Any

__all__ = ["EVERY", "Sizes"]

# Statements between two looks: some fifteen batches. A look costs as much as a small query.
EVERY = 256
# A plan for a table of at least so many pages walks along the right indexes (Postgres itself takes
# any table to be so large that was never vacuumed); and a plan for a tenth of a table does.
LARGE, TENFOLD = 10, 10

_BEFORE_A_TABLE = frozenset({"FROM", "INTO", "JOIN", "UPDATE"})
_PAGES = (
    "SELECT relname, pg_relation_size(oid) / current_setting('block_size')::int FROM pg_class"
    " WHERE relname = ANY(%s::name[]) AND relkind = 'r' AND pg_table_is_visible(oid)"
)


class Sizes:
    """The tables of one connection's statements, and the fewest pages since these were planned."""

    def __init__(self) -> None:
        self._pages: dict[str, int] = {}
        self._asked = 0

    def note(self, sql: str, cursor: Any) -> None:
        """Another statement is about to be planned; `cursor` is the driver's."""
        named = [
            word.strip('"') for before, word in pairwise(sql.split()) if before in _BEFORE_A_TABLE
        ]
        new = [name for name in named if name not in self._pages]
        if new:
            self._pages.update(dict.fromkeys(new, 0))
            self._pages.update(_pages_of(new, cursor))

    def is_due(self) -> bool:
        """True for every `EVERY`th statement."""
        self._asked += 1
        return self._asked % EVERY == 0

    def look(self, cursor: Any) -> bool:
        """Throw the plans of this connection away if they are for smaller tables; True if so."""
        now = _pages_of(list(self._pages), cursor)
        outgrown = any(
            pages >= LARGE and pages >= TENFOLD * self._pages[name] for name, pages in now.items()
        )
        if outgrown:
            cursor.execute("DISCARD PLANS")
            self._pages.update(now)
        else:
            # A table that was emptied is planned anew by Postgres, for as little as there is now.
            self._pages.update((name, min(pages, self._pages[name])) for name, pages in now.items())
        return outgrown


def _pages_of(names: list[str], cursor: Any) -> dict[str, int]:
    cursor.execute(_PAGES, [names])
    return {str(name): int(pages) for name, pages in cursor.fetchall()}
