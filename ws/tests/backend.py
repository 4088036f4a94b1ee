"""A scripted backend for the edge's tests: a thread with a worker transport and a few rules."""

import threading
from collections.abc import Callable
from typing import Any

from levity_ws.rpc.envelope import (
    Accept,
    Authenticate,
    Command,
    Event,
    Lease,
    Leased,
    Received,
    Refuse,
    Reply,
    Send,
    Spooled,
)
from levity_ws.rpc.transport import Delivery, WorkerTransport

__all__ = ["ScriptedBackend", "accept_all", "echo"]

Rule = Callable[[Event], Command | None]


def accept_all(event: Authenticate) -> Accept | Refuse:
    """Everybody is welcome, and is answered the subprotocol that he offers."""
    return Accept(event.connection, subprotocol="ocpp1.6" if event.subprotocols else "")


def echo(event: Received) -> Send | None:
    """Every frame comes back with a mark."""
    return Send(event.connection, f"echo {event.text}")


class ScriptedBackend:
    """Answers every batch by rule, and remembers what it was told.

    While `answering` is clear, batches are taken and not answered.
    """

    def __init__(
        self,
        transport: WorkerTransport,
        *,
        authenticate: Callable[[Authenticate], Command | None] = accept_all,
        received: Callable[[Received], Command | None] = echo,
    ) -> None:
        self.transport = transport
        self.events: list[Event] = []
        self.batches: list[Any] = []
        self.reply_to = ""
        self.answering = threading.Event()
        self.answering.set()
        self._authenticate = authenticate
        self._received = received
        self._changed = threading.Condition()
        self._stopping = False
        self._next_id = 1
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait_for(self, predicate: Callable[[list[Event]], bool], within: float = 60.0) -> bool:
        """True as soon as the events so far fulfil the predicate."""
        with self._changed:
            return self._changed.wait_for(lambda: predicate(self.events), within)

    def of(self, kind: type[Event]) -> list[Any]:
        """The events of this kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    def stop(self) -> None:
        """End the thread and close the transport."""
        self._stopping = True
        self.answering.set()
        self.transport.wake()
        self._thread.join(30)
        self.transport.close()

    def _run(self) -> None:
        held: list[Delivery] = []
        while not self._stopping:
            delivery = self.transport.receive(0.02 if held else 1.0)
            if delivery is not None:
                self.reply_to = delivery.reply_to
                held.append(delivery)
                with self._changed:
                    self.batches.append(delivery.batch)
                    self.events.extend(delivery.batch.events)
                    self._changed.notify_all()
            while held and self.answering.is_set():
                self._answer(held.pop(0))

    def _answer(self, delivery: Delivery) -> None:
        commands = (self._command(event) for event in delivery.batch.events)
        reply = Reply(
            commands=tuple(command for command in commands if command is not None),
            batch=delivery.batch.batch,
        )
        self.transport.send(delivery.reply_to, reply)
        self.transport.ack(delivery)

    def _command(self, event: Event) -> Command | None:
        if isinstance(event, Authenticate):
            return self._authenticate(event)
        if isinstance(event, Spooled):
            return None
        if isinstance(event, Received):
            return self._received(event)
        if isinstance(event, Lease):
            self._next_id += event.count
            return Leased(ids=tuple(range(self._next_id - event.count, self._next_id)))
        return None
