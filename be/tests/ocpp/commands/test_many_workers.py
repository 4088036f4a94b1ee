"""Four workers send to many chargers at once: one outstanding Call each, and in their order.

`make queue` runs it with 200 chargers of 20 commands.
"""

import json
import os
import queue
import threading
from collections import defaultdict

import pytest
from django.db import connections

from levity.ocpp.commands import lifecycle
from levity.ocpp.models import ChargePoint, Command
from levity.ocpp.store import plan_once
from levity_ws.rpc.envelope import Reply, Send
from tests.ocpp.charger import CentralSystem, Charger, at

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
CHARGERS, COMMANDS = map(int, os.environ.get("LEVITY_QUEUE", "24x6").split("x"))
WORKERS = 4


class Site:
    """Chargers that answer at once, and remember what came in which order."""

    def __init__(self) -> None:
        chargers = [Charger(f"CP{number}") for number in range(CHARGERS)]
        system = CentralSystem()
        system.take(*(charger.connects() for charger in chargers))
        self.by_connection = {charger.connection: charger for charger in chargers}
        self.outstanding: dict[str, int] = defaultdict(int)
        self.most = 0
        self.order: dict[str, list[int]] = defaultdict(list)
        self.asked: queue.SimpleQueue[tuple[str, str] | None] = queue.SimpleQueue()
        self.lock = threading.Lock()
        self.is_done = threading.Event()

    def send(self, reply_to: str, reply: Reply) -> bool:
        """What goes to the edge."""
        for item in reply.commands:
            assert isinstance(item, Send)
            _, unique_id, _, payload = json.loads(item.text)
            with self.lock:
                self.outstanding[item.connection] += 1
                self.most = max(self.most, self.outstanding[item.connection])
                self.order[item.connection].append(payload["number"])
            self.asked.put((item.connection, unique_id))
        return True

    def answer(self) -> None:
        """What comes from the chargers, a batch for each answer."""
        system = CentralSystem()
        while (asked := self.asked.get()) is not None:
            connection, unique_id = asked
            with self.lock:
                self.outstanding[connection] -= 1
            system.take(self.by_connection[connection].answers(unique_id, {}))

    def work(self) -> None:
        """A worker's look at the queue, again and again."""
        while not self.is_done.is_set():
            lifecycle.dispatch(at(1), self.send)


def test_never_two_outstanding_and_first_in_first_out() -> None:
    site = Site()
    points = list(ChargePoint.objects.order_by("id"))
    Command.objects.bulk_create(
        Command(
            charge_point=point,
            action="UnlockConnector" if number == COMMANDS - 1 else "DataTransfer",
            priority=0 if number == COMMANDS - 1 else 1,
            payload={"number": number},
            not_before=at(0),
        )
        for number in range(COMMANDS)
        for point in points
    )
    failed: list[BaseException] = []

    def run(job: object) -> None:
        try:
            plan_once()
            assert callable(job)
            job()
        except BaseException as error:  # noqa: BLE001  # told below
            failed.append(error)
            site.is_done.set()
        finally:
            connections.close_all()

    jobs = [site.work] * WORKERS + [site.answer] * 2
    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    pause = threading.Event()
    while not site.is_done.is_set() and Command.objects.exclude(state="answered").exists():
        pause.wait(0.05)
    site.is_done.set()
    for _ in range(2):
        site.asked.put(None)
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert site.most == 1
    # The unlock goes before all that was asked for earlier.
    assert set(map(tuple, site.order.values())) == {(COMMANDS - 1, *range(COMMANDS - 1))}
    assert len(site.order) == CHARGERS
