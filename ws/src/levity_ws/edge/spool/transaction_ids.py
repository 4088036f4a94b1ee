"""Transaction ids that the backend has leased to the spool, to answer StartTransactions with."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from levity_ws.edge.relay import Relay
from levity_ws.edge.settings import EdgeSettings
from levity_ws.edge.spool.journal import Journal, SpoolFull

__all__ = ["TransactionIds"]


class TransactionIds:
    """Leased in advance, on disk before they are used, and used once each."""

    def __init__(
        self,
        found: Iterable[int],
        journal: Journal,
        relay: Relay,
        settings: EdgeSettings,
        refuse: Callable[[str, str], None],
    ) -> None:
        """`found`: those on disk; `refuse(reason, words)` counts and logs what could not be
        done.
        """
        self._ids = deque(found)
        self._journal, self._relay, self._settings = journal, relay, settings
        self._refuse = refuse
        self._asked_at: float | None = None
        self._granted: tuple[int, ...] = ()
        self._leasing: asyncio.Task[None] | None = None

    @property
    def left(self) -> int:
        """StartTransactions that can be answered before the backend is asked again."""
        return len(self._ids)

    def all(self) -> Sequence[int]:
        """The ids that may still be used."""
        return self._ids

    def take(self) -> int:
        """An unused id; 0 if none is left."""
        if not self._ids:
            self._refuse(
                "no transaction id left", "No transaction ids are left: no session can start"
            )
            return 0
        return self._ids.popleft()

    def lease_more(self) -> None:
        """Ask the backend, which is available now, if few are left."""
        if self._granted:
            self._keep_granted()
            return
        now, asked_at = self._relay.clock(), self._asked_at
        missing = self._settings.spool_ids - len(self._ids)
        few = missing * 2 > self._settings.spool_ids
        # If no answer has come by then, none will: the backend failed at the question.
        waits = asked_at is not None and now - asked_at < 2 * self._settings.hold
        if self._settings.spool_starts and few and not waits:
            self._asked_at = now
            self._relay.ask_for_ids(missing)

    def granted(self, ids: tuple[int, ...]) -> None:
        """From the backend; used only once they are on disk."""
        if self._asked_at is not None:
            self._asked_at = None
            self._granted = ids
            self._keep_granted()

    def _keep_granted(self) -> None:
        if self._leasing is None or self._leasing.done():
            self._leasing = asyncio.create_task(self._lease())

    async def _lease(self) -> None:
        """If they can't be written now, a later sign of life tries again."""
        granted = self._granted
        try:
            await self._journal.lease(granted)
        except (OSError, SpoolFull) as error:
            self._refuse("lease", f"Transaction ids could not be kept: {error}")
            return
        self._ids.extend(granted)
        self._granted = ()
