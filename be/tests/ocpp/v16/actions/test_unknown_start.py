"""StartTransactions without an id tag or a connector: sessions all the same, where that is sure."""

import json
from decimal import Decimal
from typing import Any

import pytest

from levity.ocpp.models import (
    ChargePoint,
    Command,
    IdTag,
    Message,
    QuarantinedMessage,
    Transaction,
)
from tests.ocpp.charger import CentralSystem, Charger, wire

pytestmark = pytest.mark.django_db
LEFT_OUT = object()
ODD_TAGS: list[Any] = [LEFT_OUT, None, {}, [], ["TAG"], True]
ODD_CONNECTORS: list[Any] = [LEFT_OUT, None, 0, "0", -1, 1.5, "one", {}, [1], True, 10**9]


@pytest.fixture
def site() -> CentralSystem:
    return CentralSystem()


@pytest.fixture
def charger(site: CentralSystem) -> Charger:
    return site.connect(Charger())


def rule(name: str) -> None:
    """Who may charge."""
    ChargePoint.objects.update(authorization=name)


def start(charger: Charger, **other: Any) -> Any:
    """The usual one, but for these fields."""
    usual = {"connectorId": 1, "idTag": "TAG", "meterStart": 1000, "timestamp": wire(charger.now)}
    said = {**usual, **other}
    payload = {name: value for name, value in said.items() if value is not LEFT_OUT}
    return charger.calls("StartTransaction", payload)


def ledger(*names: str) -> list[Any]:
    """The sessions."""
    return list(Transaction.objects.order_by("id").values_list(*names))


@pytest.mark.parametrize("tag", ODD_TAGS)
@pytest.mark.parametrize(
    ("who", "status"), [("anonymous", "Accepted"), ("record", "Accepted"), ("known", "Invalid")]
)
def test_a_start_without_an_id_tag_is_a_session_of_an_unknown_payer(
    site: CentralSystem, charger: Charger, tag: Any, who: str, status: str
) -> None:
    """ATTACK "missing idTag": 111 of 111 sessions were in the quarantine, 2,240 kWh."""
    rule(who)
    answer = site.result(start(charger, idTag=tag))
    assert answer["idTagInfo"] == {"status": status}
    assert IdTag.objects.count() == 0
    given = answer["transactionId"]
    flags = "no-id-tag" if status == "Accepted" else "no-id-tag id-tag-invalid"
    assert ledger("id", "state", "id_tag", "flags") == [(given, "active", "", flags)]
    site.take(charger.measures(given, 3000, wire(1800)))
    site.take(charger.stops(given, idTag="TAG"))
    assert ledger("state", "energy", "confidence", "flags") == [
        ("stopped", Decimal(5000), "high", flags)
    ]
    assert QuarantinedMessage.objects.count() == 0
    assert "idTag" in Message.objects.get(action="StartTransaction").error_description


def test_one_without_an_id_tag_is_the_same_when_it_comes_again(
    site: CentralSystem, charger: Charger
) -> None:
    """Promise 2, with a new message id and on a new websocket; null and nothing are one thing."""
    ids = {site.result(start(charger, idTag=tag))["transactionId"] for tag in ODD_TAGS}
    again = site.connect(charger.again())
    ids.add(site.result(start(again, idTag=None))["transactionId"])
    assert ledger("id") == [(ids.pop(),)]
    assert not ids


def test_two_unknown_payers_at_once_are_two_sessions(site: CentralSystem, charger: Charger) -> None:
    """No tag is no tag that both have: no limit of sessions is reached."""
    IdTag.objects.create(id_tag="", status="Accepted", max_transactions=1)
    first = site.result(start(charger, idTag=None))
    second = site.result(start(charger, idTag=None, connectorId=2))
    assert first["idTagInfo"] == second["idTagInfo"] == {"status": "Accepted"}
    site.take(charger.stops(first["transactionId"], idTag="ALICE", meterStop=2000))
    site.take(charger.stops(second["transactionId"], idTag="BOB", meterStop=4000))
    assert ledger("energy", "id_tag", "stop_id_tag", "flags") == [
        (Decimal(1000), "", "ALICE", "no-id-tag"),
        (Decimal(3000), "", "BOB", "no-id-tag"),
    ]


def test_its_stop_may_come_first_and_name_the_card(site: CentralSystem, charger: Charger) -> None:
    """Of somebody who is unknown no card is the wrong one."""
    charger.now = 3600
    site.take(charger.stops(-1, idTag="ALICE"))
    site.take(start(charger, idTag=None, timestamp=wire()))
    assert ledger("state", "energy", "stop_id_tag", "flags") == [
        ("stopped", Decimal(5000), "ALICE", "no-id-tag stop-came-first")
    ]


def test_an_automatic_start_that_leads_to_no_tag_is_not_sent_again(
    site: CentralSystem, charger: Charger
) -> None:
    """The car that is plugged in has its session, whoever pays."""
    site.take(charger.boots())
    site.take(charger.shows("Preparing"))
    assert Command.objects.filter(action="RemoteStartTransaction").count() == 1
    charger.now = 5
    site.take(start(charger, idTag=None))
    site.take(charger.shows("Charging"))
    charger.now = 300
    site.take(charger.shows("Preparing"))
    assert Command.objects.filter(action="RemoteStartTransaction").count() == 1


@pytest.mark.parametrize("connector", ODD_CONNECTORS)
def test_a_start_without_a_connector_is_on_the_only_one_there_is(
    site: CentralSystem, charger: Charger, connector: Any
) -> None:
    """0 is the charger as a whole; it has one connector."""
    site.take(charger.shows("Available", connector=0))
    site.take(charger.shows("Available"))
    given = site.result(start(charger, connectorId=connector))["transactionId"]
    assert ledger("id", "connector", "flags") == [(given, 1, "connector-guessed")]
    again = site.connect(charger.again())
    assert site.result(start(again, connectorId=connector))["transactionId"] == given
    site.take(again.stops(given))
    assert ledger("connector", "state", "energy") == [(1, "stopped", Decimal(5000))]
    assert QuarantinedMessage.objects.count() == 0


@pytest.mark.parametrize("connector", ODD_CONNECTORS)
@pytest.mark.parametrize("status", ["Preparing", "Charging", "SuspendedEV"])
def test_a_start_without_a_connector_is_where_a_car_has_no_session(
    site: CentralSystem, charger: Charger, connector: Any, status: str
) -> None:
    """Connector 1 charges in a session, 3 is free; and the same again is the same session."""
    for number, said in ((1, "Charging"), (2, status), (3, "Available")):
        site.take(charger.shows(said, connector=number))
    site.take(start(charger, idTag="ALICE"))
    given = site.result(start(charger, connectorId=connector))["transactionId"]
    assert ledger("connector", "flags") == [(1, ""), (2, "connector-guessed")]
    site.take(charger.shows("Charging", connector=2))
    site.take(charger.shows("Preparing", connector=3))
    again = site.connect(charger.again())
    assert site.result(start(again, connectorId=connector))["transactionId"] == given
    untimed = site.result(start(again, connectorId=connector, timestamp=LEFT_OUT))
    assert untimed["transactionId"] == given
    assert len(ledger("id")) == 2


@pytest.mark.parametrize(
    ("shown", "reason"),
    [
        ({}, "connectorId: missing"),
        (
            {1: "Preparing", 2: "Charging"},
            "connectorId: missing; it could be on connector 1, 2",
        ),
        (
            {1: "Preparing", 2: "Charging", 3: "Available"},
            "connectorId: missing; it could be on connector 1, 2",
        ),
        (
            {1: "Available", 2: "Available"},
            "connectorId: missing; it could be on connector 1, 2",
        ),
    ],
)
def test_a_start_that_could_be_on_several_connectors_waits_for_a_person(
    site: CentralSystem, charger: Charger, shown: dict[int, str], reason: str
) -> None:
    """The reason says between which."""
    for number, said in shown.items():
        site.take(charger.shows(said, connector=number))
    answer = site.result(start(charger, connectorId=None))
    assert answer["idTagInfo"] == {"status": "Accepted"}
    row = QuarantinedMessage.objects.get()
    assert row.reason == f"OccurenceConstraintViolation: {reason}"
    assert row.transaction == answer["transactionId"]
    assert Transaction.objects.count() == 0


def test_what_connectors_show_now_says_nothing_of_a_start_of_yesterday(
    site: CentralSystem, charger: Charger
) -> None:
    """It was kept while the charger was offline; the car that is there now came later."""
    for number, said in ((1, "Preparing"), (2, "Available")):
        payload = {
            "connectorId": number,
            "errorCode": "NoError",
            "status": said,
            "timestamp": wire(),
        }
        site.take(charger.calls("StatusNotification", payload))
    site.take(start(charger, connectorId=None, timestamp=wire(-86_400 - 1234)))
    assert "it could be on connector 1, 2" in QuarantinedMessage.objects.get().reason


def test_the_limit_of_a_card_does_not_count_what_ends_where_it_starts(
    site: CentralSystem, charger: Charger
) -> None:
    """Its own session on the guessed connector, whose stop was lost, ends there."""
    IdTag.objects.create(id_tag="TAG", status="Accepted", max_transactions=1)
    site.take(charger.shows("Available"))
    site.take(start(charger))
    charger.now = 60
    answer = site.result(start(charger, connectorId=0, meterStart=1500))
    assert answer["idTagInfo"] == {"status": "Accepted"}
    assert ledger("state", "flags") == [
        # (The same card, a minute later: one session, told twice.)
        ("orphaned", "orphaned started-again"),
        ("active", "connector-guessed"),
    ]


def test_a_start_that_tells_neither_is_a_session_too(site: CentralSystem, charger: Charger) -> None:
    """Nothing but a meter value and a time."""
    site.take(charger.shows("Charging"))
    payload = {"meterStart": "1000", "timestamp": wire()}
    answer = site.result(charger.calls("StartTransaction", payload))
    assert answer["idTagInfo"] == {"status": "Accepted"}
    assert ledger("connector", "id_tag", "flags") == [(1, "", "no-id-tag connector-guessed")]


def test_a_rejected_charger_starts_nothing_without_a_tag(
    site: CentralSystem, charger: Charger
) -> None:
    """As with one."""
    ChargePoint.objects.update(registration="Rejected")
    assert site.result(start(charger, idTag=None))["idTagInfo"] == {"status": "Invalid"}
    assert Transaction.objects.count() == 0
    assert json.loads(QuarantinedMessage.objects.get().payload)["meterStart"] == 1000
