"""What `make soak` found: each failing seed is a test here, and stays."""

import pytest
from django.db import connection

from levity.ocpp.models import Transaction
from tests.kept import Samples
from tests.ocpp.charger import CentralSystem, Charger, wire

pytestmark = pytest.mark.django_db


def sampled() -> list[tuple[str, str]]:
    """Context and raw value of every sample on the books."""
    return list(Samples.objects.order_by("id").values_list("context", "raw_value"))


@pytest.mark.parametrize("new_connection", [True, False])
def test_meter_values_whose_answer_was_lost_are_on_the_books_once(new_connection: bool) -> None:
    """F-18, F-19: charger-power-cut seed 1, worker-stop seed 1. Sent again on a new connection
    (3.7.1), or with a new message id on the same one (libocpp)."""
    site, charger = CentralSystem(), Charger()
    started = site.start(charger)
    for number in range(3):
        site.result(charger.measures(started, 1500 + number, wire(60 + number)))
    last = [started, 1502, wire(62)]
    charger = charger.again() if new_connection else charger
    site.result(charger.measures(*last))
    site.result(charger.measures(started, 1510, wire(70)))
    assert [value for _, value in sampled()] == ["1500", "1501", "1502", "1510"]
    site.result(charger.stops(started))
    assert Transaction.objects.values_list("energy", flat=True).get() == 5000


def test_samples_that_differ_in_anything_are_kept() -> None:
    """Begin, periodic and end at the same second; two phases of the same value; two connectors."""
    site, charger = CentralSystem(), Charger()

    def values(*samples: dict[str, str], connector: int = 1) -> None:
        meter_value = {"timestamp": wire(60), "sampledValue": list(samples)}
        payload = {"connectorId": connector, "meterValue": [meter_value]}
        site.result(charger.calls("MeterValues", payload))

    values({"value": "7"}, {"value": "7", "context": "Transaction.Begin"})
    values({"value": "7", "context": "Transaction.End"})
    values(
        {"value": "7", "measurand": "Current.Import", "phase": "L1"},
        {"value": "7", "measurand": "Current.Import", "phase": "L2"},
    )
    values({"value": "7"}, connector=2)
    # Twice in one message: whatever it means, it is one message.
    values({"value": "8"}, {"value": "8"})
    assert len(sampled()) == 8


@pytest.mark.postgres
def test_a_database_server_that_vanishes_without_a_word_is_noticed_within_a_minute() -> None:
    """F-06, F-08. Linux asks after two hours by default, and until then the worker would wait for
    an answer; libpq lets us say otherwise, in seconds and milliseconds (docs/evidence/soak.md)."""
    parameters = connection.get_connection_params()
    idle, interval, count = (
        parameters[f"keepalives_{name}"] for name in ("idle", "interval", "count")
    )
    assert idle + interval * count <= 60
    assert parameters["tcp_user_timeout"] <= 60_000
    assert parameters["connect_timeout"] <= 10
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert connection.connection.get_dsn_parameters()["tcp_user_timeout"] == "30000"
