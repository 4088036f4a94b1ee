"""Promise 3: every Call is answered, Start- and StopTransaction always with a result."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from levity.ocpp.models import ChargePoint, FailedMessage, Message, QuarantinedMessage, Transaction
from levity.ocpp.v16.routes import ROUTES
from levity.ocpp.v16.schemas import SCHEMAS
from tests.ocpp.charger import CentralSystem, Charger, wire

pytestmark = pytest.mark.django_db

SAMPLES = [{"timestamp": wire(60), "sampledValue": [{"value": "1500"}]}]
USUAL: dict[str, dict[str, Any]] = {
    "Authorize": {"idTag": "TAG"},
    "BootNotification": {"chargePointVendor": "Vendor", "chargePointModel": "Model"},
    "DataTransfer": {"vendorId": "Vendor", "messageId": "m", "data": "d"},
    "DiagnosticsStatusNotification": {"status": "Idle"},
    "FirmwareStatusNotification": {"status": "Idle"},
    "Heartbeat": {},
    "LogStatusNotification": {"status": "Idle", "requestId": 1},
    "MeterValues": {"connectorId": 1, "transactionId": 1, "meterValue": SAMPLES},
    "SecurityEventNotification": {"type": "InvalidCsr", "timestamp": wire(), "techInfo": "x"},
    "SignCertificate": {"csr": "-----BEGIN"},
    "SignedFirmwareStatusNotification": {"status": "Idle", "requestId": 1},
    "StartTransaction": {
        "connectorId": 1,
        "idTag": "TAG",
        "meterStart": 1000,
        "timestamp": wire(),
        "reservationId": 1,
    },
    "StatusNotification": {
        "connectorId": 1,
        "errorCode": "NoError",
        "status": "Available",
        "timestamp": wire(),
        "info": "",
        "vendorId": "UC",
        "vendorErrorCode": "0",
    },
    "StopTransaction": {
        "transactionId": 1,
        "meterStop": 6000,
        "timestamp": wire(3600),
        "idTag": "TAG",
        "reason": "Local",
        "transactionData": SAMPLES,
    },
}
ALWAYS_A_RESULT = ("StartTransaction", "StopTransaction")


def test_every_routed_action_has_a_usual_message_here() -> None:
    """So that no new one is left out of the tests below."""
    assert set(USUAL) == set(ROUTES)


@pytest.mark.parametrize("action", USUAL)
def test_the_usual_message_is_answered_with_what_the_schema_asks_for(action: str) -> None:
    """The official schema of the answer (the PyPI package `ocpp`, as data)."""
    site, charger = CentralSystem(), Charger()
    answer = site.result(charger.calls(action, USUAL[action]))
    assert SCHEMAS.finding(f"{action}Response", answer) is None
    if action != "SignCertificate":
        assert SCHEMAS.finding(action, USUAL[action]) is None
    assert Message.objects.values_list("action", "error_code").get() == (action, "")


BROKEN: list[tuple[str, Any]] = [
    ("null", None),
    ("object", {"a": {}}),
    ("list", [[]]),
    ("bool", True),
    ("huge", 2**63),
    ("negative", -(2**31)),
    ("float", 1.5),
    ("word", "٣"),
    ("empty", ""),
    ("long", "x" * 10_000),
    ("nul", "a\x00b"),
    ("lines", "a\r\nb\x1b[31m'; DROP TABLE ocpp_transaction; --{{7*7}}"),
]


@pytest.mark.parametrize("action", USUAL)
def test_no_broken_field_stays_without_an_answer(action: str) -> None:
    """I-06: 14 messages, each field missing, null, of a wrong type, too long, out of range."""
    site, charger = CentralSystem(), Charger()
    payloads: list[Any] = [[], None, "x", 7, {}, {**USUAL[action], "extraKey": [1, {"a": None}]}]
    for name in USUAL[action]:
        payloads.append({key: value for key, value in USUAL[action].items() if key != name})
        payloads += [{**USUAL[action], name: value} for _, value in BROKEN]
    for payload in payloads:
        charger.now += 1
        answer = site.answer(charger.calls(action, payload))
        if action in ALWAYS_A_RESULT:
            assert answer[0] == 3, (payload, answer)
            assert SCHEMAS.finding(f"{action}Response", answer[2]) is None
        elif answer[0] == 4:
            assert answer[2] in (
                "FormationViolation",
                "PropertyConstraintViolation",
                "OccurenceConstraintViolation",
                "TypeConstraintViolation",
            ), (payload, answer)
    assert FailedMessage.objects.count() == 0
    assert Message.objects.count() == len(payloads)


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("Authorize", {}, "OccurenceConstraintViolation"),
        ("Authorize", {"idTag": None}, "TypeConstraintViolation"),
        ("Authorize", {"idTag": {}}, "TypeConstraintViolation"),
        ("Authorize", [], "TypeConstraintViolation"),
        (
            "BootNotification",
            {"chargePointVendor": [], "chargePointModel": "M"},
            "TypeConstraintViolation",
        ),
        ("StatusNotification", {"connectorId": 1}, "OccurenceConstraintViolation"),
        (
            "StatusNotification",
            {"connectorId": 999999, "errorCode": "NoError", "status": "Available"},
            "PropertyConstraintViolation",
        ),
        (
            "StatusNotification",
            {"connectorId": -1, "errorCode": "NoError", "status": "Available"},
            "PropertyConstraintViolation",
        ),
        (
            "StatusNotification",
            {"connectorId": 1.5, "errorCode": "NoError", "status": "Available"},
            "TypeConstraintViolation",
        ),
        ("MeterValues", [], "TypeConstraintViolation"),
        ("heartbeat", {}, "NotImplemented"),
        ("__class__", {}, "NotImplemented"),
        ("x" * 10_000, {}, "NotImplemented"),
        ("RemoteStartTransaction", {}, "NotImplemented"),
    ],
)
def test_nonsense_gets_the_fitting_error(action: str, payload: Any, code: str) -> None:
    """I-05, I-06, I-13: codes of OCPP-J 1.6, table 7."""
    site, charger = CentralSystem(), Charger()
    assert site.error(charger.calls(action, payload)) == code
    row = Message.objects.values("action", "error_code").get()
    assert row == {"action": action[:64], "error_code": code}


@pytest.mark.parametrize("action", ALWAYS_A_RESULT)
@pytest.mark.parametrize(
    "text",
    [
        '[2,"1","{}",{{"transactionId":,"meterStop":1}}]',
        '[2,"1","{}",{{"connectorId":1',
        '[2,"1","{}"]',
        '[2,"1","{}",{{}},{{}}]',
        '[2,"1","{}",{{"meterStart":NaN}}]',
        '[2,"1","{}",{{"a":1e999}}]',
        '[2,"1","{}",' + "[" * 5000 + "]" * 5000 + "]",
        '[2,"1","{}",' + '{{"a":' * 300 + "1" + "}}" * 300 + "]",
    ],
)
def test_half_a_transaction_message_is_answered_with_a_result_and_kept(
    action: str, text: str
) -> None:
    """Promise 3: a CALLERROR would bring it back for ever (AEFA Home, Metron)."""
    site, charger = CentralSystem(), Charger()
    event = charger.says(text.replace("{}", action, 1).replace("{{", "{").replace("}}", "}"))
    result = site.result(event)
    assert SCHEMAS.finding(f"{action}Response", result) is None
    row = QuarantinedMessage.objects.values("action", "payload", "unique_id").get()
    assert row == {"action": action, "payload": json.dumps(event.text), "unique_id": "1"}
    # On a new websocket the same text is the same thing.
    assert site.result(charger.again().says(event.text)) == result
    assert QuarantinedMessage.objects.get().repeated == 1
    assert Transaction.objects.count() == 0


@pytest.mark.parametrize("transaction_id", [0, -1, 2**31 - 1, 2**31, 2**63 - 1, 123456, "7", 1.5])
def test_a_stop_for_no_transaction_is_answered_and_quarantined(transaction_id: Any) -> None:
    """D-08, D-15: always a .conf; a person decides."""
    site, charger = CentralSystem(), Charger()
    assert site.result(charger.stops(transaction_id)) == {}
    row = QuarantinedMessage.objects.values("action", "reason").get()
    assert row == {"action": "StopTransaction", "reason": "no such transaction"}


@pytest.mark.parametrize("transaction_id", [0, -1, None, "0", "-1", -1.0, "absent"])
def test_a_stop_that_names_no_transaction_ends_the_only_one_that_runs(transaction_id: Any) -> None:
    """libocpp#495, steve#292: started offline, never got an id."""
    site, charger = CentralSystem(), Charger()
    started = site.start(charger)
    stop = json.loads(charger.stops(transaction_id).text)[3]
    if transaction_id == "absent":
        del stop["transactionId"]
    assert site.result(charger.calls("StopTransaction", stop)) == {}
    row = Transaction.objects.values("id", "state", "energy", "flags").get()
    assert row == {
        "id": started,
        "state": "stopped",
        "energy": Decimal(5000),
        "flags": "matched-by-connector",
    }
    assert QuarantinedMessage.objects.count() == 0


def test_a_stop_that_names_no_transaction_guesses_nothing_where_two_run() -> None:
    """Which of them it is a person has to say."""
    site, charger = CentralSystem(), Charger()
    one, other = site.start(charger), site.start(charger, connectorId=2)
    assert site.result(charger.stops(-1)) == {}
    reason = f"no such transaction; it may be the end of #{one} or #{other}"
    assert QuarantinedMessage.objects.get().reason == reason
    assert Transaction.objects.filter(state="active").count() == 2


def test_a_second_stop_changes_nothing() -> None:
    """D-09: the first values stay; another content waits for a person, the same is only counted."""
    site, charger = CentralSystem(), Charger()
    started = site.start(charger)
    assert site.result(charger.stops(started)) == {}
    before = Transaction.objects.values().get()
    assert site.result(charger.stops(started)) == {}
    assert QuarantinedMessage.objects.filter(resolved_at=None).count() == 0
    assert site.result(charger.stops(started, meterStop=9000, idTag="T")) == {
        "idTagInfo": {"status": "Accepted"}
    }
    waiting = QuarantinedMessage.objects.get(resolved_at=None)
    assert waiting.reason == "the transaction has already stopped"
    assert QuarantinedMessage.objects.count() == 2
    assert Transaction.objects.values().get() == before


def test_integers_and_ids_beyond_every_column_break_nothing() -> None:
    """I-13: 2^31, 2^63, -1, connector 999999."""
    site, charger = CentralSystem(), Charger()
    for number in (2**31, 2**63, 2**63 - 1, 2**64, 10**30, -1, 999999):
        for name in ("connectorId", "meterStart", "reservationId"):
            site.result(charger.starts(**{name: number}))
        for name in ("transactionId", "meterStop"):
            site.result(charger.stops(1, **{name: number}))
        site.answer(charger.measures(number, number))
        site.answer(charger.measures(None, number, connectorId=number))
    assert FailedMessage.objects.count() == 0


@pytest.mark.parametrize(
    ("said", "stored", "flags"),
    [
        ("222222017-01-01T00:00:00Z", None, "no-start-time"),
        ("1000000", None, "no-start-time"),
        ("2026-00-01T00:00:00Z", None, "no-start-time"),
        ("9999-12-31T23:59:59-14:00", None, "no-start-time"),
        ("0001-01-01T00:00:00+14:00", None, "no-start-time"),
        ("", None, "no-start-time"),
        ("x" * 10_000, None, "no-start-time"),
        ("1970-01-01T00:00:12Z", datetime(1970, 1, 1, 0, 0, 12, tzinfo=UTC), "start-clock-unset"),
        ("2000-01-01T00:00:00Z", datetime(2000, 1, 1, tzinfo=UTC), "start-clock-unset"),
        ("2026-11-22T12:06:00Z", datetime(2026, 11, 22, 12, 6, tzinfo=UTC), "start-clock-ahead"),
        ("2036-11-22T12:00:00Z", datetime(2036, 11, 22, 12, tzinfo=UTC), "start-clock-ahead"),
        ("2026-11-22T12:04:59Z", datetime(2026, 11, 22, 12, 4, 59, tzinfo=UTC), ""),
        ("2026-11-19T12:00:00Z", datetime(2026, 11, 19, 12, tzinfo=UTC), ""),  # 72 h offline
        ("2026-11-22T12:00:00", datetime(2026, 11, 22, 12, tzinfo=UTC), ""),
        ("2026-11-22T14:00:00+02:00", datetime(2026, 11, 22, 12, tzinfo=UTC), ""),
        (
            "2026-11-22T11:59:59.123456789Z",
            datetime(2026, 11, 22, 11, 59, 59, 123456, tzinfo=UTC),
            "",
        ),
    ],
)
def test_no_time_of_a_charger_breaks_anything(
    said: str, stored: datetime | None, flags: str
) -> None:
    """D-19, I-14: the charger's time and ours side by side, and a flag where it can't be true."""
    site, charger = CentralSystem(), Charger()
    charger.now = 1
    site.start(charger, timestamp=said)
    row = Transaction.objects.values("started_at", "start_received_at", "flags").get()
    received = datetime(2026, 11, 22, 12, 0, 1, tzinfo=UTC)
    assert row == {
        "started_at": stored or received,
        "start_received_at": received,
        "flags": flags,
    }


def test_energy_is_never_negative_and_what_is_odd_stays_flagged() -> None:
    """D-16: Huawei stops 1 Wh below its start; a negative start is no start of ours."""
    site, charger = CentralSystem(), Charger()
    started = site.start(charger, meterStart=-5)
    site.result(charger.stops(started, meterStop=-6))
    row = Transaction.objects.values("energy", "meter_start", "meter_stop", "flags").get()
    assert row == {
        "energy": Decimal(0),
        "meter_start": Decimal(-5),
        "meter_stop": Decimal(-6),
        "flags": "negative-meter-start negative-energy",
    }


def test_a_fraction_of_a_wh_is_kept_however_it_is_written() -> None:
    """libocpp#638; and 0.1 + 0.2 has 17 decimals."""
    site, charger = CentralSystem(), Charger()
    started = site.start(charger, meterStart=0.30000000000000004)
    site.result(charger.stops(started, meterStop="40330.299999999996"))
    row = Transaction.objects.values("meter_start", "meter_stop", "energy").get()
    assert row == {
        "meter_start": Decimal("0.3"),
        "meter_stop": Decimal("40330.3"),
        "energy": Decimal(40330),
    }
    assert QuarantinedMessage.objects.count() == 0


def test_a_vendors_script_and_a_megabyte_are_only_data() -> None:
    """I-22, I-23: kept as they are; the answer does not repeat them."""
    site, charger = CentralSystem(), Charger()
    for data in ("<script>alert(1)</script>", {"a": [1, {"b": None}]}, "x" * 1_000_000):
        answer = site.answer(charger.calls("DataTransfer", {"vendorId": "V", "data": data}))
        assert answer[2] == {"status": "UnknownVendorId"}
    assert FailedMessage.objects.count() == 0


@pytest.mark.parametrize("length", [20, 21, 255, 256, 10_000])
def test_a_vendors_name_of_any_length_is_taken_and_noted(length: int) -> None:
    """I-25 would refuse 21; real chargers send 33: cut at 255, and noted with the message."""
    site, charger = CentralSystem(), Charger()
    payload = {"chargePointVendor": "V" * length, "chargePointModel": "M"}
    assert site.result(charger.calls("BootNotification", payload))["status"] == "Accepted"
    row = Message.objects.values_list("error_description", "charge_point_id").get()
    assert row[0] == ("" if length == 20 else "chargePointVendor: maxLength is not 20")
    assert ChargePoint.objects.get().vendor == "V" * min(length, 255)
