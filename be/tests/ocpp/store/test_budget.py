"""No disk is filled by who sends the most: samples are kept of it, and sessions whole (C1)."""

import json
from typing import Any

import pytest

from levity.ocpp.models import Message, QuarantinedMessage, Transaction
from levity.ocpp.store.budget import SAMPLE, LogBudget, log_budget, same_text, shortened
from tests.kept import Samples
from tests.ocpp.charger import CentralSystem, Charger, wire

LONG = "x" * 100_000
ORDINARY = "x" * 2_000
FULL = "disk nearly full"
GIB = 1024**3


def budget(now: list[float], free: int = GIB) -> LogBudget:
    """With a clock that is set by hand."""
    return LogBudget(lambda: now[0], lambda: free)


def test_one_that_says_too_much_is_kept_as_samples_until_it_has_been_silent() -> None:
    """One charger filled 88.9 MB in 20 s; its neighbours lose nothing."""
    now = [0.0]
    own = budget(now)
    kept = [own.kept(1, "DataTransfer", LONG) for _ in range(1000)]
    whole = [text for text in kept if text == LONG]
    assert 100 < len(whole) < 200
    assert {len(text) <= SAMPLE + 100 for text in kept[len(whole) :]} == {True}
    assert own.kept(2, "DataTransfer", LONG) == LONG
    assert own.kept(1, "StopTransaction", ORDINARY) == ORDINARY
    assert own.kept(1, "Heartbeat", "short") == "short"
    now[0] += 3600
    assert own.kept(1, "DataTransfer", LONG) == LONG


def test_a_flood_of_large_stops_does_not_fill_the_disk() -> None:
    """They were kept whole, 2 MB each, whatever there was of them."""
    own, stop = budget([0.0]), "x" * 2_000_000
    kept = [own.kept(1, "StopTransaction", stop) for _ in range(100)]
    assert kept[0] == stop
    assert sum(map(len, kept)) < 20_000_000
    assert kept[-1] == shortened(stop, "charger over 4 KiB/s")
    assert len(kept[-1]) < SAMPLE + 100


def test_many_together_are_kept_as_samples_too() -> None:
    """Twenty sockets wrote 68 MB a second."""
    own = budget([0.0])
    kept = [own.kept(number % 200, "DataTransfer", LONG) for number in range(20_000)]
    assert 1.0e9 < sum(map(len, kept)) < 1.3e9


def test_where_the_disk_is_nearly_full_samples_are_all_that_is_kept() -> None:
    now = [0.0]
    own = budget(now, free=100 * 1024**2)
    assert own.kept(1, "MeterValues", LONG) == shortened(LONG, FULL)
    assert own.kept(1, "StartTransaction", ORDINARY) == ORDINARY
    own._free = lambda: GIB
    assert own.kept(1, "MeterValues", LONG) == shortened(LONG, FULL)
    now[0] += 11
    assert own.kept(1, "MeterValues", LONG) == LONG


def test_a_sample_is_known_for_its_frame() -> None:
    assert same_text(LONG, LONG)
    assert same_text(shortened(LONG, FULL), LONG)
    assert not same_text(shortened(LONG, FULL), "y" + LONG[1:])
    assert not same_text(LONG, shortened(LONG, FULL))
    assert same_text("short", "short")


@pytest.mark.django_db
def test_the_books_are_whole_where_the_log_keeps_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a frame that comes again is answered as before."""
    monkeypatch.setattr(log_budget, "_is_tight", True)
    monkeypatch.setattr(log_budget, "_looked_at", float("inf"))
    site, charger = CentralSystem(), Charger()
    session = site.start(charger)
    values = [
        {
            "timestamp": wire(60 + number),
            "sampledValue": [{"value": str(1000 + number), "unit": "Wh"}],
        }
        for number in range(30)
    ]
    payload = {"connectorId": 1, "transactionId": session, "meterValue": values}
    frame = json.dumps([2, "again", "MeterValues", payload])
    first = site.frames(charger.says(frame))
    assert Samples.objects.count() == 30
    assert site.frames(charger.says(frame)) == first
    assert Samples.objects.count() == 30
    row = Message.objects.filter(action="MeterValues").first()
    assert row is not None
    assert "cut in the log" in row.request
    assert len(row.request) < SAMPLE + 100
    site.result(charger.stops(session))
    assert Transaction.objects.get().energy == 5000
    assert FULL in row.request
    whole = Message.objects.filter(action__in=("StartTransaction", "StopTransaction"))
    assert not any(
        "cut in the log" in request for request in whole.values_list("request", flat=True)
    )


def stop_of_a_night(samples: int) -> dict[str, Any]:
    """What a StopTransaction has in transactionData."""
    data = [
        {
            "timestamp": wire(60 + number),
            "sampledValue": [{"value": str(1000 + number), "unit": "Wh", "format": "Raw"}],
        }
        for number in range(samples)
    ]
    return {"transactionData": data}


@pytest.mark.django_db
def test_a_large_stop_beyond_the_budget_is_on_the_books_with_all_its_figures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(log_budget, "_is_tight", True)
    monkeypatch.setattr(log_budget, "_looked_at", float("inf"))
    site, charger = CentralSystem(), Charger()
    session = site.start(charger)
    event = charger.stops(session, **stop_of_a_night(100))
    first = site.frames(event)
    assert Transaction.objects.get().energy == 5000
    assert Samples.objects.count() == 100
    row = Message.objects.get(action="StopTransaction")
    assert FULL in row.request
    assert len(row.request) < SAMPLE + 100
    # It comes again, word for word: it is the same one.
    assert site.frames(charger.says(event.text)) == first
    assert not QuarantinedMessage.objects.exists()


@pytest.mark.django_db
def test_quarantine_keeps_the_figures_of_a_large_stop_beyond_the_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stops of made-up transactions went around the budget."""
    monkeypatch.setattr(log_budget, "_is_tight", True)
    monkeypatch.setattr(log_budget, "_looked_at", float("inf"))
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    site.result(charger.stops(777_777, idTag="TAG", **stop_of_a_night(100)))
    row = QuarantinedMessage.objects.get()
    assert json.loads(row.payload) == {
        "transactionId": 777_777,
        "meterStop": 6000,
        "timestamp": wire(3600),
        "idTag": "TAG",
    }
    assert row.reason.endswith(f" (without its samples: {FULL})")
