"""The spool: while the backend is away, frames are written to disk and answered from here.

A frame's way reads: wait for the backend, and when that is away, `take`: append, fsync, answer.
When the backend is back, `deliver`: charge point by charge point, in order, before anything newer.
"""

import asyncio
import contextlib
import logging
from collections import deque
from typing import Any

from levity_ws.edge.lane import BackendUnavailable, Entry, Lane
from levity_ws.edge.metrics import Metrics
from levity_ws.edge.relay import Relay
from levity_ws.edge.settings import EdgeSettings
from levity_ws.edge.spool.answers import Question, answer_to, read
from levity_ws.edge.spool.journal import Journal, SpooledFrame, SpoolFull
from levity_ws.rpc.envelope import Leased, Received, Send, Spooled

__all__ = ["Spool"]

logger = logging.getLogger(__name__)

AT_ONCE = 200
"""So many charge points are delivered at a time."""


class Spool:
    """Answers in the backend's stead, and tells the backend later. One for each edge."""

    def __init__(
        self, journal: Journal, relay: Relay, settings: EdgeSettings, metrics: Metrics
    ) -> None:
        """`SpoolUnusable` if the journal's folder can't be used."""
        self._journal, self._relay, self._settings = journal, relay, settings
        self._metrics = metrics
        found = journal.open()
        self._ids = deque(found.ids)
        self._backlog: dict[str, deque[SpooledFrame]] = {}
        self._starts: dict[tuple[str, str], int] = {}
        for frame in found.frames:
            self._remember(frame)
        self._under_way: dict[Entry, asyncio.Task[bool] | None] = {}
        self._texts: dict[Entry, str] = {}
        self._muted: set[tuple[str, str]] = set()
        self._deliveries: dict[str, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._away_since: float | None = None
        self._lease_asked = False
        self._leasing: asyncio.Task[None] | None = None
        self._said_full = False
        self.away = False
        if found.frames:
            logger.warning("%d spooled frames wait for the backend", len(found.frames))

    @property
    def waiting(self) -> int:
        """Frames that the backend does not have yet."""
        return sum(map(len, self._backlog.values()))

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return self._journal.size

    @property
    def ids_left(self) -> int:
        """StartTransactions that can be answered before the backend is asked again."""
        return len(self._ids)

    async def close(self) -> None:
        """Stop delivering; what is not delivered is, after the next start."""
        for task in (*self._deliveries.values(), *filter(None, self._under_way.values())):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._journal.close()

    # --- from the charger --------------------------------------------------------------------

    async def receive(self, lane: Lane, text: str) -> None:
        """One frame; returns when the backend or the spool has answered it.

        `BackendUnavailable` where neither does.
        """
        if (self.away or self._is_behind(lane)) and await self._take(lane, text):
            return
        if not self.away:
            await self._until_delivered(lane)
        done: asyncio.Future[Any] = self._relay.loop.create_future()
        entry = self._relay.submit(lane, Received, {"text": text}, done=done, size=len(text))
        self._under_way[entry] = None
        self._texts[entry] = text
        try:
            await done
        except BackendUnavailable:
            task = self._under_way[entry]
            taken = await task if task is not None else await self._take(lane, text, entry)
            if not taken:
                raise
        finally:
            del self._under_way[entry], self._texts[entry]

    async def _take(self, lane: Lane, text: str, entry: Entry | None = None) -> bool:
        """Put this frame on the disk and answer it; False if that is not for the spool."""
        question = read(text)
        if question is None or (question.lets_charge and not self._settings.spool_starts):
            return False
        if not question.is_kept:
            if not self.away:
                return False
            self._claim(lane, question, entry)
            lane.peer.write(answer_to(question, self._relay.wall()))
            return True
        transaction, content = 0, ""
        if question.needs_id:
            content = question.content
            transaction = self._transaction_id(lane.charge_point, content)
            if not transaction:
                self._metrics.count("spool_refusals", "no transaction id left")
                return False
        at = entry.at if entry is not None else self._relay.wall()
        frame = SpooledFrame(
            charge_point=lane.charge_point,
            connection=lane.connection,
            seq=self._claim(lane, question, entry),
            at=at,
            text=text,
            unique_id=question.unique_id,
            answer=answer_to(question, at, transaction),
            transaction=transaction,
            content=content,
        )
        if not await self._is_kept(frame):
            return False
        self._metrics.count("frames_spooled", question.action or "answer")
        if frame.answer:
            lane.peer.write(frame.answer)
        return True

    def _claim(self, lane: Lane, question: Question, entry: Entry | None) -> int:
        """From now on the frame is the spool's, and not the backend's; the number of its event."""
        if entry is None or not entry.sent:
            number = lane.next_seq()
        else:
            number = entry.seq
            self._muted.add((lane.connection, question.unique_id))
        if entry is not None:
            entry.expired, entry.dropped = True, not entry.sent
        return number

    async def _is_kept(self, frame: SpooledFrame) -> bool:
        try:
            await self._journal.keep(frame)
        except SpoolFull as error:
            self._metrics.count("spool_refusals", "full")
            if not self._said_full:
                self._said_full = True
                logger.error("The spool is full: chargers are closed with 1013 (%s)", error)
            return False
        except OSError:
            self._metrics.count("spool_refusals", "disk")
            return False
        self._remember(frame)
        if not self.away:
            self._deliver_soon(frame.charge_point.lower())
        return True

    def _remember(self, frame: SpooledFrame) -> None:
        key = frame.charge_point.lower()
        self._backlog.setdefault(key, deque()).append(frame)
        if frame.transaction:
            self._starts[key, frame.content] = frame.transaction

    def _transaction_id(self, charge_point: str, content: str) -> int:
        """The same for the same StartTransaction, else one of the leased; 0 if none is left."""
        known = self._starts.get((charge_point.lower(), content))
        if known:
            return known
        return self._ids.popleft() if self._ids else 0

    def _is_behind(self, lane: Lane) -> bool:
        return lane.charge_point.lower() in self._backlog

    async def _until_delivered(self, lane: Lane) -> None:
        """Wait until nothing older of this charger is in the spool, as long as a frame may wait."""
        key = lane.charge_point.lower()
        if key in self._backlog:
            self._deliver_soon(key)
            await asyncio.wait([self._deliveries[key]], timeout=self._settings.hold)
            if self._is_behind(lane) and not self.away:
                raise BackendUnavailable("older frames of this charger are still on their way")

    # --- what the relay tells ----------------------------------------------------------------

    def look(self, now: float) -> None:
        """Once a second: is there somebody to deliver to, or is it time to take over?"""
        if self._relay.available:
            self._away_since, self.away = None, False
            for key in self._backlog:
                self._deliver_soon(key)
            return
        if self._away_since is None:
            self._away_since = now
        if self.away or now - self._away_since < self._settings.spool_after:
            return
        self.away = True
        logger.warning("The backend is away: chargers are answered from the spool")
        for entry, task in self._under_way.items():
            if task is None:
                self._under_way[entry] = asyncio.create_task(self._take_over(entry))

    async def _take_over(self, entry: Entry) -> bool:
        """A frame that waits for the backend already."""
        done = entry.done
        assert done is not None
        if done.done() and done.exception() is None:
            return False  # the backend has answered after all
        taken = await self._take(entry.lane, self._texts[entry], entry)
        if not done.done():
            if taken:
                done.set_result(None)
            elif entry.dropped:
                done.set_exception(BackendUnavailable("the spool did not take it"))
        return taken

    def backend_answers(self) -> None:
        """It has answered a sign of life: see that there are ids for the next time."""
        missing = self._settings.spool_ids - len(self._ids)
        few = missing * 2 > self._settings.spool_ids
        if self._settings.spool_starts and few and not self._lease_asked:
            self._lease_asked = True
            self._relay.ask_for_ids(missing)

    def leased(self, command: Leased) -> None:
        """Ids from the backend; given only once they are on the disk."""
        if self._lease_asked:
            self._lease_asked = False
            self._leasing = asyncio.create_task(self._lease(command))

    async def _lease(self, command: Leased) -> None:
        try:
            await self._journal.lease(command.ids)
        except (OSError, SpoolFull) as error:
            logger.error("Transaction ids could not be kept: %s", error)
            return
        self._ids.extend(command.ids)

    def swallows(self, command: Send) -> bool:
        """True if this answers what the spool has answered: the charger must not hear it twice."""
        if not self._muted:
            return False
        answered = read(command.text)
        key = (command.connection, answered.unique_id if answered else "")
        if key not in self._muted:
            return False
        self._muted.discard(key)
        return True

    # --- to the backend ----------------------------------------------------------------------

    def _deliver_soon(self, key: str) -> None:
        if key not in self._deliveries:
            task = asyncio.create_task(self._deliver(key))
            self._deliveries[key] = task
            task.add_done_callback(lambda _task: self._deliveries.pop(key, None))

    async def _deliver(self, key: str) -> None:
        """One charge point's frames, one after the other; then nothing of it is here."""
        async with self._slots:
            frames = self._backlog[key]
            while frames:
                frame = frames[0]
                try:
                    await self._relay.deliver(
                        Spooled(
                            charge_point=frame.charge_point,
                            connection=frame.connection,
                            seq=frame.seq,
                            at=frame.at,
                            text=frame.text,
                            answer=frame.answer,
                            transaction=frame.transaction,
                        )
                    )
                except BackendUnavailable:
                    return
                frames.popleft()
                self._starts.pop((key, frame.content), None)
                self._muted.discard((frame.connection, frame.unique_id))
                self._journal.delivered(frame)
                self._metrics.count("spooled_frames_delivered")
            del self._backlog[key]
        if not self._backlog:
            self._all_delivered()

    def _all_delivered(self) -> None:
        self._said_full = False
        logger.info("The spool is empty: everything in it is the backend's")
        self._journal.shorten(lambda: self._ids)
