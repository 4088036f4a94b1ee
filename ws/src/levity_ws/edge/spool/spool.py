"""The spool: while the backend is away, frames are written to disk and answered from here.

A frame waits for the backend; if that is away, `take` appends, fsyncs and answers it. When the
backend is back, `deliver` sends the frames, charge point by charge point, in order, before anything
newer.
"""

import asyncio
import contextlib
import logging
from typing import Any

from levity_ws.edge.lane import BackendUnavailable, Entry, Lane
from levity_ws.edge.metrics import Metrics
from levity_ws.edge.relay import Relay
from levity_ws.edge.settings import EdgeSettings
from levity_ws.edge.spool.answers import Question, answer_to, is_understood, read
from levity_ws.edge.spool.backlog import Backlog, weight
from levity_ws.edge.spool.journal import Journal, SpooledFrame, SpoolFull
from levity_ws.edge.spool.transaction_ids import TransactionIds
from levity_ws.rpc.envelope import Leased, Received, Send, Spooled

__all__ = ["Spool"]

logger = logging.getLogger(__name__)

AT_ONCE = 200
"""How many charge points are delivered at a time."""
SHARE = 8
"""The fraction of the file and of the ids that one charge point may use, so that a flooding one
takes nothing from the others."""
_NOTHING = Backlog()


class Spool:
    """Answers in place of the backend, and delivers to it later. One for each edge."""

    def __init__(
        self, journal: Journal, relay: Relay, settings: EdgeSettings, metrics: Metrics
    ) -> None:
        """Raises `SpoolUnusable` if the journal's folder can't be used."""
        self._journal, self._relay, self._settings = journal, relay, settings
        self._metrics = metrics
        found = journal.open()
        self._ids = TransactionIds(found.ids, journal, relay, settings, self._refuse)
        self._backlog: dict[str, Backlog] = {}
        for frame in found.frames:
            self._remember(frame, read(frame.text))
        self._under_way: dict[Entry, asyncio.Task[bool] | None] = {}
        self._texts: dict[Entry, str] = {}
        self._muted: set[tuple[str, str]] = set()
        self._deliveries: dict[str, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._away_since: float | None = None
        self._said: set[tuple[str, str]] = set()
        self._closed = False
        self.away = False
        if found.frames:
            logger.warning("%d spooled frames wait for the backend", len(found.frames))

    @property
    def waiting(self) -> int:
        """Frames in the spool that the backend has not received yet."""
        return sum(len(backlog.frames) for backlog in self._backlog.values())

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return self._journal.size

    @property
    def ids_left(self) -> int:
        """StartTransactions that can be answered before the backend is asked again."""
        return self._ids.left

    async def close(self) -> None:
        """Stop delivering; the rest is delivered after the next start."""
        self._closed = True
        for task in tuple(self._deliveries.values()):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        # These only wait for the disk.
        taking = [task for task in self._under_way.values() if task is not None]
        await asyncio.gather(*taking, return_exceptions=True)
        await self._journal.close()

    async def receive(self, lane: Lane, text: str) -> None:
        """Relay one frame; returns when the backend or the spool has answered it. Raises
        `BackendUnavailable` if neither does.
        """
        if (self.away or self._is_behind(lane)) and await self._take(lane, text):
            return
        await self._until_delivered(lane)
        done: asyncio.Future[Any] = self._relay.loop.create_future()
        entry = self._relay.submit(lane, Received, lane.frame(text), done=done, size=len(text))
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
        """Write this frame to disk and answer it; False if the spool can't answer it. With `entry`,
        the frame already waits for the backend; if the result is False, it continues to wait.
        """
        question = read(text) if is_understood(lane.subprotocol) else None
        if self._closed or question is None:
            return False
        if question.lets_charge and not self._settings.spool_starts:
            return False
        if not question.is_kept:
            if not self.away and entry is None:
                return False
            self._claim(question, entry)
            lane.peer.write(answer_to(question, self._relay.wall()))
            return True
        transaction = 0
        if question.needs_id:
            transaction = self._transaction_id(lane.charge_point, question.content)
            if not transaction:
                return False
        at = entry.at if entry is not None else self._relay.wall()
        frame = SpooledFrame(
            charge_point=lane.charge_point,
            connection=lane.connection,
            seq=_number(lane, entry),
            at=at,
            text=text,
            unique_id=question.unique_id,
            answer=answer_to(question, at, transaction),
            transaction=transaction,
            content=question.content,
            subprotocol=lane.subprotocol,
        )
        if not await self._is_kept(frame):
            return False
        if entry is not None and _is_answered(entry):
            self._journal.delivered(frame)  # the backend has answered meanwhile
            return True
        self._remember(frame, question)
        self._claim(question, entry)
        self._metrics.count("frames_spooled", question.action or "answer")
        if frame.answer:
            lane.peer.write(frame.answer)
        if not self.away:
            self._deliver_soon(lane.charge_point.lower())
        return True

    def _claim(self, question: Question, entry: Entry | None) -> None:
        """From now on the frame belongs to the spool: the backend's answer no longer counts."""
        if entry is not None:
            if entry.sent:
                self._muted.add((entry.lane.connection, question.unique_id))
            entry.expired, entry.dropped = True, not entry.sent

    async def _is_kept(self, frame: SpooledFrame) -> bool:
        """True once it is on disk."""
        charge_point = frame.charge_point
        backlog = self._backlog.get(charge_point.lower())
        if backlog is not None and backlog.size + weight(frame) > self._settings.spool_size / SHARE:
            self._refuse("share", f"{charge_point} has used its share of the spool", charge_point)
            return False
        try:
            await self._journal.keep(frame)
        except SpoolFull as error:
            self._refuse("full", f"The spool is full: chargers are closed with 1013 ({error})")
            return False
        except OSError:
            self._metrics.count("spool_refusals", "disk")
            return False
        return True

    def _refuse(self, reason: str, words: str, charge_point: str = "") -> None:
        """Count it, and log it once until the spool is empty again."""
        self._metrics.count("spool_refusals", reason)
        if (reason, charge_point) not in self._said:
            self._said.add((reason, charge_point))
            logger.error("%s", words)

    def _remember(self, frame: SpooledFrame, question: Question | None) -> None:
        key = frame.charge_point.lower()
        self._backlog.setdefault(key, Backlog()).add(frame, question)

    def _transaction_id(self, charge_point: str, content: str) -> int:
        """The same id for the same StartTransaction, else a leased one; 0 if none is left."""
        backlog = self._backlog.get(charge_point.lower(), _NOTHING)
        if known := backlog.answered(content):
            return known
        if len(backlog.given) >= max(1, self._settings.spool_ids // SHARE):
            words = f"{charge_point} has used its share of the transaction ids"
            self._refuse("share", words, charge_point)
            return 0
        return self._ids.take()

    def _is_behind(self, lane: Lane) -> bool:
        return lane.charge_point.lower() in self._backlog

    async def _until_delivered(self, lane: Lane) -> None:
        """Wait until the spool holds nothing older from this charger, at most as long as a frame
        may wait."""
        key = lane.charge_point.lower()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.hold):
                while key in self._backlog and not self._closed:
                    self._deliver_soon(key)
                    await asyncio.wait([self._deliveries[key]])
        if key in self._backlog:
            self._metrics.count("frames_given_up")
            raise BackendUnavailable("older frames of this charger are still on their way")

    def look(self, now: float) -> None:
        """Once per second: deliver if the backend is back, take over if it is away."""
        if self._relay.available:
            self._away_since, self.away = None, False
            if self._muted:
                # No answer will come on a closed connection.
                self._muted = {each for each in self._muted if self._relay.has_lane(each[0])}
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
        """A frame that already waits for the backend."""
        if _is_answered(entry):
            return False
        taken = await self._take(entry.lane, self._texts[entry], entry)
        if taken and entry.done is not None and not entry.done.done():
            entry.done.set_result(None)
        return taken

    def backend_answers(self) -> None:
        """The backend has answered a sign of life: make sure that there are ids for the next
        outage."""
        self._ids.lease_more()

    def leased(self, command: Leased) -> None:
        """Ids from the backend."""
        self._ids.granted(command.ids)

    def swallows(self, command: Send) -> bool:
        """True if the spool has already answered this frame: the charger must not get a second
        answer."""
        if not self._muted:
            return False
        answered = read(command.text)
        key = (command.connection, answered.unique_id if answered else "")
        if key not in self._muted:
            return False
        self._muted.discard(key)
        return True

    def _deliver_soon(self, key: str) -> None:
        if key not in self._deliveries:
            task = asyncio.create_task(self._deliver(key))
            self._deliveries[key] = task
            task.add_done_callback(lambda _task: self._deliveries.pop(key, None))

    async def _deliver(self, key: str) -> None:
        """Deliver one charge point's frames, one after the other, until none is left."""
        async with self._slots:
            backlog = self._backlog[key]
            while backlog.frames:
                frame = backlog.frames[0]
                try:
                    await self._relay.deliver(
                        Spooled(
                            charge_point=frame.charge_point,
                            connection=frame.connection,
                            seq=frame.seq,
                            at=frame.at,
                            text=frame.text,
                            subprotocol=frame.subprotocol,
                            answer=frame.answer,
                            transaction=frame.transaction,
                        )
                    )
                except BackendUnavailable:
                    return
                backlog.remove_first()
                self._muted.discard((frame.connection, frame.unique_id))
                self._journal.delivered(frame)
                self._metrics.count("spooled_frames_delivered")
            del self._backlog[key]
        if not self._backlog:
            self._all_delivered()

    def _all_delivered(self) -> None:
        self._said.clear()
        logger.info("The spool is empty: the backend has received everything")
        self._journal.shorten(self._ids.all)


def _number(lane: Lane, entry: Entry | None) -> int:
    """The number of the frame's event, no matter who answers it."""
    if entry is None:
        return lane.next_seq()
    if entry.seq < 0:
        entry.seq = lane.next_seq()
    return entry.seq


def _is_answered(entry: Entry) -> bool:
    """True if the backend has answered in the end."""
    done = entry.done
    return done is not None and done.done() and done.exception() is None
