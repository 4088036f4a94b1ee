"""The worker: it receives batches, has them taken, replies and acknowledges; and sends commands.

Everything here is plain synchronous Django. Run as many workers as you like: the order of each
charger's frames is kept by the edge, everything else by the database.
"""

import gc
import logging
import threading
import time
from collections.abc import Callable

from django.db import DEFAULT_DB_ALIAS, close_old_connections, connection, connections
from django.db import Error as DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from levity.db.damage import is_damage, mend
from levity.db.notices import hear_others, listen, stop_hearing
from levity.db.silence import SILENCE, answer_within
from levity.db.watchdog import watch
from levity.ocpp.commands import lifecycle as commands
from levity.ocpp.conf import setting
from levity.ocpp.models import Edge
from levity.ocpp.store import plan_once
from levity.ocpp.store.news import COMMANDS_WAIT
from levity.ocpp.versions import FREQUENT
from levity.ocpp.worker import housekeeping
from levity.ocpp.worker.moving import Moving, hours
from levity.ocpp.worker.pipeline import DatabaseAway, HeldUp, Pipeline, Taken
from levity_ws.rpc.envelope import Close, Reply
from levity_ws.rpc.transport import Delivery, WorkerTransport

__all__ = ["Worker", "leave_what_stays"]

log = logging.getLogger(__name__)

# Seconds between two looks at the command queue (what was just queued is told: it waits for no
# look), between two looks for Calls whose time is over (the next Call of that charger waits for
# it), and between two rounds of housekeeping.
LOOK = 0.25
GIVE_UP = 0.75
KEEP_HOUSE = 5.0
# Seconds between two tries while the database is away: the first, and the longest.
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
LONGEST_WAIT = 5.0
# Seconds after which a batch goes back into the queue: no edge waits for it any more, and RabbitMQ
# closes the channel of a worker that holds one for 30 minutes (consumer_timeout).
HOLD = 40.0
# So many objects more until the collector looks for circles again, and so many looks at the young
# ones until the next at older ones. A batch makes thousands, and leaves no circle behind.
COLLECT_AFTER = (20_000, 20, 20)


def leave_what_stays() -> None:
    """Tell the garbage collector what needs no look: Django and its models stay for good.

    Otherwise it looks at all of them again and again, for tens of milliseconds, while a charger
    waits. For a process that has begun, before its work.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


class Worker:
    """Works until `stop`; one instance per process or thread.

    Commands are sent between two batches, by the same thread; that is best where the database has
    one writer (SQLite). With `own_thread_for_commands` another thread sends them, so that no
    frame ever waits for a command: best on Postgres. `on_taken` is told of every batch, once it is
    answered, and the seconds it took.
    """

    def __init__(
        self,
        transport: WorkerTransport,
        clock: Callable[[], float] = time.monotonic,
        *,
        own_thread_for_commands: bool = False,
        on_taken: Callable[[Delivery, Taken, float], None] | None = None,
    ) -> None:
        self.transport = transport
        self.clock = clock
        self.pipeline = Pipeline()
        self.steps = housekeeping.ClockSteps()
        self.minute = housekeeping.EveryMinute()
        self.moving = Moving(clock)
        self.counting = Moving(clock, (hours,), tells_progress=False)
        self.stopping = threading.Event()
        self.own_thread_for_commands = own_thread_for_commands
        self.commands_due = threading.Event()
        self.asked = False
        self.on_taken = on_taken
        # When it came round last: health checks tell a worker that hangs by it.
        self.beat = clock()
        self.next_look = self.next_end = self.next_round = 0.0
        self.hold = _Hold(transport, clock)

    def run(self) -> None:
        """Receive, take, reply, acknowledge, for ever; returns after `stop`."""
        if setting("OCPP_PREPARED_STATEMENTS"):
            plan_once()
        answer_within(SILENCE)
        watch(self.hold)
        sender = threading.Thread(target=self._keep_looking, name="commands", daemon=True)
        deaf = listen(COMMANDS_WAIT, self.look_now)
        if self.own_thread_for_commands:
            hear_others(COMMANDS_WAIT)
            sender.start()
        try:
            while not self.stopping.is_set():
                alone = self.own_thread_for_commands
                self.step(LONGEST_WAIT if alone else max(0.0, self.next_look - self.clock()))
        finally:
            self.stopping.set()
            deaf()
            if self.own_thread_for_commands:
                stop_hearing()
            if sender.is_alive():
                self.commands_due.set()
                sender.join(LONGEST_PAUSE)
            self.transport.close()
            connection.close()

    def stop(self) -> None:
        """Finish the batch at hand, then return from `run`. For any thread and signal handler."""
        self.stopping.set()
        self.transport.wake()

    def look_now(self, _text: str = "") -> None:
        """A Call was queued: look at once, not at the next turn. For any thread."""
        if self.own_thread_for_commands:
            self.commands_due.set()
        else:
            self.asked = True
            self.transport.wake()

    def step(self, timeout: float) -> None:
        """One delivery, if one comes within `timeout` seconds, and the commands that are due."""
        delivery = self.transport.receive(timeout)
        self.beat = began = self.clock()
        commands_due = False
        if delivery is not None:
            taken = self._take(delivery)
            if taken is None:
                return
            self.transport.send(delivery.reply_to, taken.reply)
            self.transport.ack(delivery)
            if self.on_taken is not None:
                self.on_taken(delivery, taken, self.clock() - began)
            self._close_elsewhere(taken)
            _tell(taken)
            commands_due = taken.commands_due
        if self.own_thread_for_commands:
            if commands_due:
                self.commands_due.set()
        elif commands_due or self.asked or self.clock() >= self.next_look:
            self.asked = False
            self._look()
            self._move(is_idle=delivery is None)

    def _take(self, delivery: Delivery) -> Taken | None:
        """The committed batch, however long the database is away; None when stopping.

        It is in the queue again after `HOLD`, and nothing more is taken until this try succeeds: so
        it comes a second time, is recognised, and no outage uses up how often it may be delivered.
        """
        pause, hold = FIRST_PAUSE, self.hold
        hold.begin()
        while True:
            try:
                taken = self.pipeline.take(delivery.batch, delivery.reply_to, delivery.deliveries)
            except DatabaseAway as error:
                log.error("the database does not answer (%s); retrying", _line(error))
                connection.close()
                hold.failed(error)
                if self.stopping.wait(pause):
                    hold.end()
                    return None
                pause = min(LONGEST_PAUSE, pause * 2)
            else:
                if hold.end():
                    self.transport.listen()
                return taken

    def _keep_looking(self) -> None:
        """The other thread: look at the command queue, often, and at once when there is reason."""
        if setting("OCPP_PREPARED_STATEMENTS"):
            plan_once()
        answer_within(SILENCE)
        while not self.stopping.is_set():
            try:
                self._look()
            except Exception:
                # Nobody would notice if this thread ended: frames go on being taken.
                log.exception("reading the command queue failed; retrying")
                self.stopping.wait(FIRST_PAUSE)
            self._move(is_idle=True)
            self.commands_due.wait(LOOK)
            self.commands_due.clear()
        connection.close()

    def _look(self) -> None:
        """Send the commands that are due; now and then end what is over."""
        self.next_look = self.clock() + LOOK
        try:
            close_old_connections()
            now = timezone.now()
            if self.clock() >= self.next_end:
                self.next_end = self.clock() + GIVE_UP
                commands.give_up(now)
            if self.clock() >= self.next_round:
                self.next_round = self.clock() + KEEP_HOUSE
                if self.steps.is_calm(now, self.clock()):
                    housekeeping.sweep(now, is_minute=self.minute.is_over(self.clock()))
            commands.dispatch(now, self.transport.send, self._look_soon)
        except DatabaseError as error:
            log.error("the command queue can't be read (%s); retrying", _line(error))
            if is_damage(error):
                mend(connection, error)
            connection.close()

    def _look_soon(self) -> None:
        """More is due than one look takes: the next comes after the next frame, if one waits."""
        self.next_look = self.clock()
        self.commands_due.set()

    def _move(self, *, is_idle: bool) -> None:
        """A little of what is old goes to where it needs less room."""
        try:
            self.moving.go_on(timezone.now(), is_idle=is_idle)
            self.counting.go_on(timezone.now(), is_idle=is_idle)
        except DatabaseError as error:
            log.error("old rows can't be moved (%s); retrying", _line(error))
            connection.close()

    def _close_elsewhere(self, taken: Taken) -> None:
        """Tell other edges to close what was replaced; best effort: most are dead."""
        for edge_id, close in taken.elsewhere:
            self._close(edge_id, close)

    def _close(self, edge_id: str, close: Close) -> None:
        try:
            edge = Edge.objects.filter(pk=edge_id).first()
        except DatabaseError:
            return
        if edge is not None:
            self.transport.send(edge.reply_to, Reply(commands=(close,)))


class _Hold:
    """How long a batch is held while the database is away: then it goes back into the queue.

    Watched from another thread, too: the try that is under way may wait for a connection for long.
    """

    def __init__(self, transport: WorkerTransport, clock: Callable[[], float]) -> None:
        self._transport, self._clock = transport, clock
        self._lock = threading.Lock()
        self._database: BaseDatabaseWrapper | None = None
        self._since: float | None = None
        self._handed_back = False
        self._error: DatabaseAway | None = None

    def begin(self) -> None:
        """A batch is to be taken, with this thread's connection."""
        self._database = connections[DEFAULT_DB_ALIAS]
        self._handed_back, self._error = False, None
        self._since = self._clock()

    def failed(self, error: DatabaseAway) -> None:
        """A try has come to nothing; another one follows."""
        self._error = error
        self.look()

    def end(self) -> bool:
        """It is taken, or will not be taken here; True if it went back."""
        with self._lock:
            self._since = None
            return self._handed_back

    def look(self, _passed: float = 0.0) -> None:
        """See `Watched`."""
        with self._lock:
            if self._since is None or self._handed_back or not self._is_away:
                return
            held = self._clock() - self._since
            if held >= HOLD:
                self._handed_back = True
                log.warning("the batch is returned to the queue after %.0f s", held)
                self._transport.hand_back()

    @property
    def _is_away(self) -> bool:
        if isinstance(self._error, HeldUp):
            # Not for a lock: it is for this batch only, the others have their worker.
            return False
        # Without a connection, this try has failed already, or waits for one.
        return self._error is not None or getattr(self._database, "connection", None) is None


def _tell(taken: Taken) -> None:
    """One line for each Call, once nobody waits for it any more; the frequent ones at DEBUG."""
    for charge_point, action, transaction_id, connection_id, unique_id in taken.calls:
        level = logging.DEBUG if action in FREQUENT else logging.INFO
        if log.isEnabledFor(level):
            about = f" (transaction {transaction_id})" if transaction_id is not None else ""
            fields = {
                "charge_point": charge_point,
                "connection": connection_id,
                "message_id": unique_id,
                "action": action,
                "transaction": transaction_id,
            }
            log.log(level, "%s: %s%s", charge_point, action, about, extra=fields)


def _line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
