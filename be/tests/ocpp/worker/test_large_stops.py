"""A StopTransaction with the samples of a night: right, and out of the way of the others.

One of 2 MB kept its worker busy for 0.47 s, one of 8.7 MB for 1.7 s; now 0.28 and 1.1 s, of which
the database has two thirds.
"""

import gc
from collections import Counter
from typing import Any

import pytest

from levity.ocpp.models import Message, Transaction
from levity.ocpp.v16.actions import stop_transaction
from levity.ocpp.v16.schemas import SCHEMAS
from levity.ocpp.worker.garbage_collector import LARGE, collected_later
from tests.kept import Samples
from tests.ocpp.charger import CentralSystem, Charger, at, wire

pytestmark = pytest.mark.django_db


def night(elements: int) -> list[dict[str, Any]]:
    """A register and three currents, every second; every tenth element writes its words small."""
    register = {"measurand": "Energy.Active.Import.Register", "unit": "Wh", "location": "Outlet"}
    amperes = {"measurand": "Current.Import", "unit": "A", "context": "Sample.Periodic"}
    small = {"measurand": "current.import", "unit": "a", "context": "sample_periodic"}
    return [
        {
            "timestamp": wire(number),
            "sampledValue": [
                {**register, "value": str(1000 + number)},
                *[
                    {**(amperes if number % 10 else small), "value": "16.1", "phase": f"L{phase}"}
                    for phase in (1, 2, 3)
                ],
            ],
        }
        for number in range(elements)
    ]


def test_all_samples_of_a_large_stop_are_on_the_books_with_their_own_times_and_words() -> None:
    site, charger = CentralSystem(), Charger()
    session = site.start(charger)
    event = charger.stops(session, transactionData=night(600))
    assert len(event.text) > LARGE
    assert site.result(event) == {}
    rows = list(Samples.objects.order_by("pk").values_list("sampled_at", "measurand", "phase"))
    assert len(rows) == 2400
    assert [row[0] for row in rows] == [at(number // 4) for number in range(2400)]
    assert Counter(row[1:] for row in rows) == {
        ("Energy.Active.Import.Register", ""): 600,
        **{("Current.Import", f"L{phase}"): 600 for phase in (1, 2, 3)},
    }
    words = Samples.objects.exclude(phase="").values_list("unit", "context").distinct()
    assert list(words) == [("A", "Sample.Periodic")]
    assert set(Samples.objects.values_list("received_at", flat=True)) == {at(3600)}
    assert Transaction.objects.get().energy == 5000


def test_nothing_collects_garbage_while_a_large_frame_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A quarter of its time went into looking at its own samples."""
    seen = []
    real = stop_transaction.read_samples

    def watched(*given: Any) -> Any:
        seen.append(gc.isenabled())
        return real(*given)

    monkeypatch.setattr(stop_transaction, "read_samples", watched)
    site = CentralSystem()
    for elements in (1, 600):
        charger = Charger(f"CP{elements}")
        site.take(charger.stops(site.start(charger), transactionData=night(elements)))
    assert seen == [True, False]
    assert gc.isenabled()


def test_who_had_no_collector_gets_none_by_it() -> None:
    gc.disable()
    try:
        with collected_later():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_long_list_of_samples_is_held_against_the_schema_at_its_beginning() -> None:
    """Each sample is read by itself anyway; what is odd at the beginning is told."""
    listed = night(10) * 100
    stop = {"transactionId": 1, "meterStop": 1, "timestamp": wire(), "transactionData": listed}
    assert SCHEMAS.finding("StopTransaction", stop) is not None
    for element in listed:
        element["sampledValue"] = element["sampledValue"][:1]
    assert SCHEMAS.finding("StopTransaction", stop) is None
    listed[499] = {**listed[499], "odd": 1}
    assert SCHEMAS.finding("StopTransaction", stop) == "transactionData.499: additionalProperties"
    listed[499], listed[500] = listed[0], listed[499]
    assert SCHEMAS.finding("StopTransaction", stop) is None
    assert len(stop["transactionData"]) == 1000  # type: ignore[arg-type]


def test_a_large_stop_says_in_the_log_what_was_odd() -> None:
    site, charger = CentralSystem(), Charger()
    session = site.start(charger)
    site.take(charger.stops(session, transactionData=night(600)))
    row = Message.objects.get(action="StopTransaction")
    assert row.error_description.startswith("transactionData.0.sampledValue.1.")
