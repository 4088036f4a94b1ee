"""A week at a site with all that sessions and samples do, and what can be asked of it."""

import csv
import io
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction
from django.db.models import QuerySet
from django.test import Client

from levity.ocpp.decisions import quarantine
from levity.ocpp.models import (
    ChargePoint,
    Connector,
    MeterValueCorrection,
    QuarantinedMessage,
    Transaction,
)
from levity.pages.chargers.chart import chart_of
from tests.kept import FIELDS, Samples
from tests.ocpp.ledger_chargers import Charger, at, iso, meter_value

__all__ = ["ACTIONS", "Week", "outcome", "seen"]

DAYS = ("2026-03-01", "2026-03-31")


class Week:
    """The chargers, and which sessions are which."""

    def __init__(self) -> None:
        self.root = User.objects.create_superuser("root")
        self.one, self.two, self.three = Charger("CP1"), Charger("CP2"), Charger("CP3")
        self.sessions: dict[str, int] = {}
        self._plain(self.one, "plain", 0)
        self._jumping(self.one, 600)
        self._odd(self.two)
        self._early(self.two, 900)
        self._goes_on(self.one, 1500)
        self._quarantined(self.three, 3000)
        self._loose(self.two)
        call_command(
            "correct_meter_values",
            *DAYS,
            max_power=11_000,
            stdout=io.StringIO(),
            stderr=io.StringIO(),
        )

    def _plain(self, charger: Charger, name: str, begin: int) -> None:
        """Three phases, a sample in the stop, and one MeterValue that came twice."""
        started = self.sessions[name] = charger.started(at(begin), 1000)
        for minute in range(1, 40):
            moment, wh = at(begin + minute), 1000 + minute * 120
            power = [
                {
                    "value": f"{2400 + minute % 7}.{minute % 10}",
                    "measurand": "Power.Active.Import",
                    "phase": phase,
                    "unit": "W",
                    "context": "Sample.Periodic",
                }
                for phase in ("L1", "L2", "L3")
            ]
            said = meter_value(moment, wh)
            said["sampledValue"] += power
            charger.meter(started, said, when=moment + timedelta(milliseconds=137 * minute))
            if minute == 7:
                charger.connect()
                charger.meter(started, said, when=moment + timedelta(seconds=30))
        end = meter_value(at(begin + 40), 5800, context="Transaction.End")
        charger.stop(started, at(begin + 40), 5800, transactionData=[end])
        charger.meter(started, meter_value(at(begin + 41), 5801), when=at(begin + 41))

    def _jumping(self, charger: Charger, begin: int) -> None:
        """One wild sample, which is corrected."""
        started = self.sessions["jumping"] = charger.started(at(begin), 10_000)
        for minute, wh in ((10, 11_000), (20, 9_000_000), (30, 13_000), (40, 14_000)):
            charger.meter(started, meter_value(at(begin + minute), wh), when=at(begin + minute))
        charger.stop(started, at(begin + 60), 15_000)

    def _odd(self, charger: Charger) -> None:
        """DC, signed data, words and numbers that nobody expects, a clock that goes back."""
        started = self.sessions["odd"] = charger.started(at(5), 0, connectorId=2)
        texts = ("1.50", "1.5", "-0", " 7", "1e3", "", "٣", "NaN", "0x10", "12345678901234567", "[")
        for number, text in enumerate(texts):
            moment = at(30 - number)
            said = {
                "timestamp": iso(moment),
                "sampledValue": [
                    {"value": str(100 * number), "unit": "kWh", "location": "Outlet"},
                    {"value": text, "measurand": "Current.Import", "unit": "A", "phase": "L1"},
                    {"value": f"{number}", "measurand": "SoC", "unit": "Percent", "location": "EV"},
                    {"value": "AB" * 40 + text, "format": "SignedData", "context": "Other"},
                    {"value": "5", "measurand": "Flux ⚡", "unit": "gigawatts"},
                ],
            }
            charger.meter(started, said, when=at(31 + number), connectorId=2)
        charger.stop(started, at(50), 2_000_000)

    def _early(self, charger: Charger, begin: int) -> None:
        """Its samples come before its start."""
        for minute in (1, 2, 3):
            moment = at(begin + minute)
            charger.meter(None, meter_value(moment, 100 + minute), when=moment)
        late = at(begin + 10)
        self.sessions["early"] = started = charger.started(at(begin), 100, when=late)
        charger.stop(started, at(begin + 20), 500)

    def _goes_on(self, charger: Charger, begin: int) -> None:
        """A boot closes it, its samples open it again."""
        self.sessions["goes on"] = started = charger.started(at(begin), 20_000)
        charger.meter(started, meter_value(at(begin + 1), 20_100), when=at(begin + 1))
        charger.boot(at(begin + 2))
        charger.meter(started, meter_value(at(begin + 3), 20_200), when=at(begin + 3))
        charger.boot(at(begin + 4))

    def _quarantined(self, charger: Charger, begin: int) -> None:
        """A stop of nobody becomes a session with what is loose, another one is attached."""
        for minute in (1, 2):
            moment = at(begin + minute)
            charger.meter(None, meter_value(moment, 30_000 + minute), when=moment)
        values = [meter_value(at(begin + minute), 30_000 + minute * 10) for minute in (5, 6)]
        charger.stop(987_654, at(begin + 9), 30_100, transactionData=values, idTag="tag")
        waiting = QuarantinedMessage.objects.get(resolved_at=None)
        session = quarantine.Session(1, "tag", at(begin), 30_000)
        self.sessions["made"] = quarantine.make_transaction(waiting, self.root, session).pk
        self.made = waiting.pk
        begin += 30
        open_one = self.sessions["attached"] = charger.started(at(begin), 30_100)
        values = [meter_value(at(begin + 20), 30_300)]
        charger.stop(987_655, at(begin + 21), 30_300, transactionData=values)
        waiting = QuarantinedMessage.objects.get(resolved_at=None)
        quarantine.attach(waiting, Transaction.objects.get(pk=open_one), self.root)
        self.attached = waiting.pk

    def _loose(self, charger: Charger) -> None:
        """Every quarter of an hour for three days, with one jump that is corrected."""
        for quarter in range(0, 3 * 96, 8):
            moment = at(2000 + quarter * 15)
            wh = 50_000_000 if quarter == 80 else 70_000 + quarter
            said = meter_value(moment, wh, context="Sample.Clock")
            charger.meter(None, said, when=moment, connectorId=0)

    def again(self) -> None:
        """What is long known is sent again."""
        said = meter_value(at(605 + 5), 11_000)
        self.one.connect()
        self.one.meter(self.sessions["jumping"], said, when=at(9000))
        self.two.connect()
        moment = at(2000 + 16 * 15)
        known = meter_value(moment, 70_016, context="Sample.Clock")
        self.two.meter(None, known, when=at(9001), connectorId=0)

    def late(self) -> None:
        """Samples that a charger kept, for sessions that are over."""
        for name, begin in (("jumping", 600), ("plain", 0)):
            moment = at(begin + 35.5)
            self.one.meter(self.sessions[name], meter_value(moment, 13_500), when=at(9000))

    def late_start(self) -> None:
        """A session of last week is told now: what was loose joins it."""
        self.two.started(at(2000), 70_000, when=at(9000), connectorId=0)
        self.two.started(at(2015), 70_000, when=at(9001), connectorId=1)

    def goes_on(self) -> None:
        """The session that was closed goes on."""
        self.one.connect()
        self.one.meter(self.sessions["goes on"], meter_value(at(9000), 21_000), when=at(9000))

    def undo_corrections(self) -> None:
        """All figures as they were."""
        for run in MeterValueCorrection.objects.values_list("run", flat=True).distinct():
            call_command("correct_meter_values", undo=str(run), stderr=io.StringIO())

    def correct_more(self) -> None:
        """With less power, more is wrong."""
        call_command("correct_meter_values", *DAYS, max_power=3_000, stderr=io.StringIO())

    def correct_and_undo(self) -> None:
        """There and back."""
        self.correct_more()
        run = MeterValueCorrection.objects.order_by("-pk")[0].run
        call_command("correct_meter_values", undo=str(run), stderr=io.StringIO())

    def undo_made(self) -> None:
        """The session that a person made goes, and its samples are loose again."""
        quarantine.undo(QuarantinedMessage.objects.get(pk=self.made), self.root)

    def undo_attached(self) -> None:
        """The session is as it was before the stop was attached."""
        quarantine.undo(QuarantinedMessage.objects.get(pk=self.attached), self.root)


ACTIONS: dict[str, Callable[[Week], Any]] = {
    "nothing": lambda week: None,
    "again": Week.again,
    "late": Week.late,
    "late start": Week.late_start,
    "goes on": Week.goes_on,
    "undo corrections": Week.undo_corrections,
    "correct more": Week.correct_more,
    "correct and undo": Week.correct_and_undo,
    "undo made": Week.undo_made,
    "undo attached": Week.undo_attached,
}


def seen(week: Week, *, pages: bool = False) -> dict[str, Any]:
    """All that anybody is told of samples; with `pages` as it stands there, too."""
    names = [name for name in FIELDS if name != "id"]
    out = io.StringIO()
    call_command(
        "correct_meter_values",
        *DAYS,
        max_power=2_000,
        dry_run=True,
        csv="-",
        stdout=out,
        stderr=out,
    )
    # (A new session has whatever number comes next.)
    ranks = {pk: rank for rank, pk in enumerate(_sessions().values_list("pk", flat=True))}
    # (Each question would read all of them.)
    samples = list(Samples.objects)
    told: dict[str, Any] = {
        "samples": sorted(
            repr(
                {name: getattr(sample, name) for name in names}
                | {"transaction_id": ranks.get(sample.transaction_id)}
            )
            for sample in samples
        ),
        "sessions": [{**row, "id": ranks[row["id"]]} for row in _sessions().values()],
        "connectors": [
            {**row, "transaction_id": ranks.get(row["transaction_id"])}
            for row in Connector.objects.order_by("pk").values()
        ],
        # (Nor are the keys of new samples the same.)
        "found": [row[:2] + row[4:] for row in csv.reader(io.StringIO(out.getvalue())) if row],
        "charts": [chart_of(row) for row in _sessions()],
        "in order": [
            [
                (sample.raw_value, sample.value, sample.sampled_at)
                for sample in samples
                if sample.transaction_id == pk
            ]
            for pk in ranks
        ],
    }
    if pages:
        told["pages"] = dict(_pages(week))
    return told


def _sessions() -> QuerySet[Transaction]:
    return Transaction.objects.order_by("pk")


def _pages(week: Week) -> Any:
    client = Client()
    client.force_login(week.root)
    chargers = ChargePoint.objects.order_by("pk").values_list("pk", flat=True)
    sessions = _sessions().values_list("pk", flat=True)
    addresses = [
        *(f"/admin/ocpp/metervalue/?charge_point__id__exact={pk}" for pk in chargers),
        *(f"/admin/ocpp/metervalue/?charge_point__id__exact={pk}&p=2" for pk in chargers),
        *(f"/admin/ocpp/metervalue/?transaction__id__exact={pk}" for pk in sessions),
        *(f"/admin/ocpp/transaction/{pk}/change/" for pk in sessions),
        *(f"/admin/ocpp/transaction/{pk}/change/?page=2" for pk in sessions),
        "/admin/ocpp/transaction/export/",
        "/admin/ocpp/metervaluecorrection/",
    ]
    for address in addresses:
        answer = client.get(address)
        # (There are not that many pages of everything.)
        assert answer.status_code == 200 or "p=2" in address, address
        whole = b"".join(answer) if answer.streaming else answer.content
        yield address, _steady(whole.decode())


def _steady(text: str) -> str:
    """Without what is another each time a page is made."""
    text = re.sub(r'(csrfmiddlewaretoken" value|nonce|data-now|live-now)="[^"]*"', "", text)
    text = re.sub(r'value="[0-9a-f-]{36}"|\d+ min so far', "", text)
    return re.sub(r"\b1\d{12}(\.\d+)?\b|\b1\d{9}\.\d+\b", "", text)


def outcome(week: Week, action: Callable[[Week], Any], *, pages: bool = False) -> dict[str, Any]:
    """What is told after that has been done; then it is undone."""
    clocks = [
        (charger, charger.now, charger.connection) for charger in (week.one, week.two, week.three)
    ]
    with transaction.atomic():
        action(week)
        told = seen(week, pages=pages)
        transaction.set_rollback(True)
    for charger, now, connection in clocks:
        charger.now, charger.connection = now, connection
    return told


def last_moment() -> datetime:
    """When all of it is over."""
    return at(60 * 24 * 30)
