"""Message ids that wrap or repeat on one connection, and what is told again under them (B11)."""

import json
from decimal import Decimal
from typing import Any

import pytest

from levity.ocpp.models import QuarantinedMessage, Transaction
from tests.kept import Samples
from tests.ocpp.charger import CentralSystem, Charger, wire

pytestmark = pytest.mark.django_db
START = {"connectorId": 1, "idTag": "TAG", "meterStart": 1000, "timestamp": wire()}
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Preparing"}


def test_three_tries_of_a_start_under_ids_that_wrap_are_one_session() -> None:
    """ATTACK B11: each try under another id that an older message has used, too."""
    site, charger = CentralSystem(), Charger()
    for number in range(10):
        site.result(charger.calls("Heartbeat", unique_id=str(number)))
    answers = [
        site.result(charger.calls("StartTransaction", START, unique_id=str(number)))
        for number in (0, 1, 2)
    ]
    assert answers == [answers[0]] * 3
    assert Transaction.objects.get().id == answers[0]["transactionId"]
    assert QuarantinedMessage.objects.count() == 0


@pytest.mark.parametrize("between", [0, 7, 9, 150, 300])
@pytest.mark.parametrize("wraps", [True, False])
def test_a_start_under_its_own_id_is_the_same_session_however_late(
    between: int, *, wraps: bool
) -> None:
    """D-05 at any distance, whether others have used its id since or not."""
    site, charger = CentralSystem(), Charger()
    call = charger.calls("StartTransaction", START, unique_id="0")
    answer = site.result(call)
    for number in range(1, between + 1):
        site.frames(charger.calls("Heartbeat", unique_id=str(number % 100 if wraps else number)))
    assert site.result(charger.says(call.text)) == answer
    stop = charger.calls(
        "StopTransaction", json.loads(charger.stops(answer["transactionId"]).text)[3]
    )
    assert site.result(stop) == site.result(charger.says(stop.text)) == {}
    assert Transaction.objects.values_list("state", "energy").get() == ("stopped", Decimal(5000))
    assert QuarantinedMessage.objects.filter(resolved_at=None).count() == 0


@pytest.mark.parametrize("wrap", [10, 100])
def test_sessions_in_the_same_words_under_the_same_ids_are_all_on_the_books(wrap: int) -> None:
    """A clock that stands at 1970, a meter that counts from 0, ids that wrap: the second session
    and its samples were answered as the first one's, and were nowhere."""
    site, charger = CentralSystem(), Charger()
    number = 0
    unset = "1970-01-01T00:00:00Z"

    def call(action: str, payload: dict[str, Any]) -> Any:
        nonlocal number
        number += 1
        charger.now += 10
        return site.result(charger.calls(action, payload, unique_id=str(number % wrap)))

    ids = []
    for _ in range(4):
        call("StatusNotification", STATUS)
        start = {**START, "meterStart": 0, "timestamp": unset}
        ids.append(call("StartTransaction", start)["transactionId"])
        values = [{"timestamp": unset, "sampledValue": [{"value": "700"}]}]
        call("MeterValues", {"connectorId": 1, "meterValue": values})
        assert Transaction.objects.latest("id").meter_last == 700
        call("StopTransaction", {"transactionId": -1, "meterStop": 900, "timestamp": unset})
        call("StatusNotification", {**STATUS, "status": "Available"})
        # As many as bring the next session under the same ids.
        while (number - 1) % wrap != wrap - 1:
            call("Heartbeat", {})
    assert list(Transaction.objects.order_by("id").values_list("id", "state", "energy")) == [
        (pk, "stopped", Decimal(900)) for pk in ids
    ]
    assert len(set(ids)) == 4


@pytest.mark.parametrize("between", [0, 150, 300])
def test_meter_values_that_come_again_under_their_id_are_on_the_books_once(between: int) -> None:
    """The same content says nothing new, at any distance; another content under that id does."""
    site, charger = CentralSystem(), Charger()
    started = site.start(charger)
    payload = json.loads(charger.measures(started, 2500).text)[3]
    call = charger.calls("MeterValues", payload, unique_id="m")
    assert site.result(call) == {}
    for number in range(between):
        site.frames(charger.calls("Heartbeat", unique_id=str(number)))
    assert site.result(charger.says(call.text)) == {}
    assert Samples.objects.count() == 1
    later = json.loads(charger.measures(started, 2600, wire(120)).text)[3]
    assert site.result(charger.calls("MeterValues", later, unique_id="m")) == {}
    assert Samples.objects.count() == 2
    assert Transaction.objects.get().energy == 1600
