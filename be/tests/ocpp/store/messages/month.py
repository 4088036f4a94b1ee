"""A month of two chargers as rows of the log, with everything odd that chargers send."""

import json
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from levity.ocpp.models import ChargePoint, Message, Site
from levity.ocpp.store.messages.moving import move_some

__all__ = ["DAYS", "END", "month", "move_all"]

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 30
END = START + timedelta(days=DAYS)
ODD = (
    "not JSON at all",
    '[2,"broken","Heartbeat"',
    '[2, "spaced" ,\t"DataTransfer", {"data":"\\u0000\\"quoted\\" \U0001f50c"}]',
    '[2,17,"Heartbeat",{}]',
    "\u202e" + "x" * 3_000,
    "",
)
ACTIONS = ("Heartbeat", "MeterValues", "StatusNotification", "Authorize", "DataTransfer")


def month(seed: int = 1, days: int = DAYS, a_day: int = 24) -> list[ChargePoint]:
    """The chargers, one of them at a site; the transactions are 100 plus the day."""
    site = Site.objects.create(name="Court")
    first = ChargePoint.objects.create(identity="MONTH-1", name="Yard", site=site)
    second = ChargePoint.objects.create(identity="MONTH-2")
    random = Random(seed)
    rows: list[Message] = []
    for number, charger in enumerate((first, second)):
        for day in range(days):
            rows += _day(random, charger, number, day, a_day)
    rows.sort(key=lambda row: row.received_at)
    # What an edge kept is written days later: its number says when.
    for _ in range(6):
        rows.append(rows.pop(random.randrange(len(rows) // 2)))
    Message.objects.bulk_create(rows)
    return [first, second]


def _day(random: Random, charger: ChargePoint, number: int, day: int, a_day: int) -> list[Message]:
    rows = []
    for place in range(a_day):
        at = START + timedelta(days=day, seconds=random.randrange(86_400), microseconds=place)
        seq = day * 1_000 + place
        counted = str(seq % 100) if number else str(UUID(int=random.getrandbits(128), version=4))
        row = Message(
            charge_point=charger,
            connection=UUID(int=number * 1_000 + day // 3),
            seq=seq,
            unique_id=counted,
            received_at=at,
            answered_at=at + timedelta(milliseconds=random.randrange(40)),
        )
        if place == 0:
            row.sender, row.seq, row.action = "cs", None, "RemoteStartTransaction"
            row.request = json.dumps([2, counted, row.action, {"idTag": "04AB", "connectorId": 1}])
            row.response = "" if day % 7 == 3 else json.dumps([3, counted, {"status": "Accepted"}])
            row.answered_at = at + timedelta(minutes=1) if row.response else None
        elif place == 1:
            row.unique_id, row.request = "", ODD[day % len(ODD)]
            row.response, row.answered_at = "", None
            row.error_description = "no JSON"
        elif place in (2, 3, 4):
            action = ("StartTransaction", "MeterValues", "StopTransaction")[place - 2]
            row.action, row.transaction = action, 100 + day + 50 * number
            payload = {"transactionId": row.transaction, "idTag": "04AB"}
            row.request = json.dumps([2, counted, action, payload])
            row.response = json.dumps([3, counted, {"transactionId": row.transaction}])
        elif place == 5 and day % 3 == 0:
            row.action, row.request = "Nonsense", json.dumps([2, counted, "Nonsense", {}])
            row.response = json.dumps([4, counted, "NotImplemented", "", {}])
            row.error_code, row.error_description = "NotImplemented", "there is no such action"
        else:
            row.action = random.choice(ACTIONS)
            row.request = json.dumps([2, counted, row.action, {"n": random.randrange(1_000)}])
            row.response = json.dumps([3, counted, {}])
        rows.append(row)
    if number:
        # Two at the same moment: their numbers say which is first.
        rows[-1].received_at = rows[-2].received_at
    return rows


def move_all(now: datetime = END, kept_days: int = 2) -> int:
    """Whatever is old moves; how much."""
    moved = 0
    while step := move_some(now, 60.0, kept_days=kept_days):
        moved += step
    return moved
