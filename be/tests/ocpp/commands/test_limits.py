"""“Maximum current of this charger: 16 A”: what is sent, and what is said about it afterwards."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from levity.ocpp.commands.limits import (
    Verdict,
    limit_of,
    most_of,
    remove_limit,
    set_limit,
)
from levity.ocpp.commands.queueing import KeyTaken
from levity.ocpp.deciding import NotAllowed, NotPossible
from levity.ocpp.models import AuditEntry, ChargePoint, Command, Site
from levity.ocpp.v16.limits import said
from levity.ocpp.versions import V16
from tests.ocpp.decisions.people import audit_of, chief, limited_to, stranger_at

pytestmark = pytest.mark.django_db
SIXTEEN = Decimal(16)


@pytest.fixture
def row() -> ChargePoint:
    return ChargePoint.objects.create(identity="CP1")


def schedule(limit: float, unit: str = "A", **more: Any) -> dict[str, Any]:
    return {
        "status": "Accepted",
        "chargingSchedule": {
            "chargingRateUnit": unit,
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit, **more}],
        },
    }


def answered(command: Command | None, result: dict[str, Any]) -> None:
    assert command is not None
    command.state, command.result = Command.State.ANSWERED, result
    command.result_status = result.get("status", "")
    command.save()


def payloads() -> list[tuple[str, dict[str, Any]]]:
    return list(Command.objects.order_by("id").values_list("action", "payload"))


def test_it_is_sent_and_then_the_charger_is_asked(row: ChargePoint) -> None:
    who = chief()
    limit = set_limit(row, SIXTEEN, who, source="test")
    (first, profile), (second, check) = payloads()
    assert (first, second) == ("SetChargingProfile", "GetCompositeSchedule")
    inner = profile["csChargingProfiles"]
    assert (profile["connectorId"], inner["chargingProfilePurpose"], inner["stackLevel"]) == (
        0,
        "ChargePointMaxProfile",
        0,
    )
    assert inner["chargingSchedule"]["chargingSchedulePeriod"] == [
        {"startPeriod": 0, "limit": 16.0}
    ]
    assert check == {"connectorId": 0, "duration": 300, "chargingRateUnit": "A"}
    for action, payload in payloads():
        assert V16.schemas.finding(action, payload) is None
    assert (limit.verdict, limit.amperes) == (Verdict.WAITING, SIXTEEN)
    assert [name for name, _ in audit_of(Command.objects.earliest("id"))] == [who.get_username()]
    assert AuditEntry.objects.count() == 2


def test_the_same_key_is_one_limit_whenever_it_is_asked_for(
    row: ChargePoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = timezone.now()
    for seconds in (0, 1, 60):
        monkeypatch.setattr(timezone, "now", lambda s=seconds: began + timedelta(seconds=s))
        set_limit(row, SIXTEEN, None, source="test", idempotency_key="k")
    assert Command.objects.count() == 2
    with pytest.raises(KeyTaken):
        set_limit(row, Decimal(10), None, source="test", idempotency_key="k")


@pytest.mark.parametrize(("given", "sent"), [("10.6", 10.5), ("6.3", 6.0), ("15.99", 15.5)])
def test_it_is_rounded_down_to_half_amperes(row: ChargePoint, given: str, sent: float) -> None:
    """Tenths such as 6.3 and 10.6 are refused by chargers that compute with doubles."""
    set_limit(row, Decimal(given), None, source="test")
    profile = Command.objects.earliest("id").payload["csChargingProfiles"]
    assert profile["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"] == sent


@pytest.mark.parametrize("given", ["5.9", "0", "-1", "32.5", "NaN", "Infinity", "1e9"])
def test_what_no_car_can_use_is_refused(row: ChargePoint, given: str) -> None:
    with pytest.raises(NotPossible, match="between 6 and 32 A"):
        set_limit(row, Decimal(given), None, source="test")
    assert not Command.objects.exists()


def test_a_charger_of_more_power_takes_more(row: ChargePoint) -> None:
    assert most_of(row) == 32
    row.max_power = Decimal(43_500)
    assert most_of(row) == 63
    row.max_power = Decimal(3_700)
    assert most_of(row) == 32


ANSWERS: tuple[tuple[dict[str, Any], dict[str, Any], Verdict, str], ...] = (
    (
        {"status": "Accepted"},
        schedule(16),
        Verdict.PROVED,
        "16 A: proved; the charger itself says so",
    ),
    ({"status": "Accepted"}, schedule(10), Verdict.PROVED, "it allows 10 A"),
    ({"status": "Accepted"}, schedule(16.4), Verdict.PROVED, "proved"),
    ({"status": "Accepted"}, schedule(32), Verdict.DOUBTED, "says that it allows 32 A"),
    ({"status": "Accepted"}, schedule(11040, "W"), Verdict.PROVED, "proved"),
    ({"status": "Accepted"}, schedule(7360, "W", numberPhases=1), Verdict.DOUBTED, "32 A"),
    ({"status": "Accepted"}, {"status": "Rejected"}, Verdict.ACCEPTED, "not checked"),
    ({"status": "Accepted"}, {"status": "Accepted"}, Verdict.ACCEPTED, "does not tell"),
    ({"status": "Accepted"}, schedule("x"), Verdict.ACCEPTED, "not checked"),  # type: ignore[arg-type]
    ({"status": "Rejected"}, {"status": "Rejected"}, Verdict.REFUSED, "refused (Rejected)"),
    ({"status": "NotSupported"}, schedule(32), Verdict.REFUSED, "refused (NotSupported)"),
)


@pytest.mark.parametrize(("order", "check", "verdict", "words"), ANSWERS)
def test_it_says_how_sure_it_is(
    row: ChargePoint, order: dict[str, Any], check: dict[str, Any], verdict: Verdict, words: str
) -> None:
    asked = set_limit(row, SIXTEEN, None, source="test")
    answered(asked.command, order)
    if order["status"] == "Accepted":
        assert limit_of(row).verdict == Verdict.CHECKING
    answered(asked.check, check)
    found = limit_of(row)
    assert found.verdict == verdict
    assert words in found.sentence
    assert found.is_open is False


def test_a_lost_answer_is_made_good_by_the_check(row: ChargePoint) -> None:
    asked = set_limit(row, SIXTEEN, None, source="test")
    Command.objects.filter(pk=asked.command.pk).update(state="timed_out")  # type: ignore[union-attr]
    assert limit_of(row).verdict == Verdict.FAILED
    answered(asked.check, schedule(16))
    assert limit_of(row).verdict == Verdict.PROVED


def test_the_next_way_replaces_the_first(row: ChargePoint) -> None:
    asked = set_limit(row, SIXTEEN, None, source="test")
    answered(asked.command, {"status": "Accepted"})
    answered(asked.check, schedule(32))
    doubted = limit_of(row)
    assert (doubted.verdict, doubted.other_way) == (Verdict.DOUBTED, "session")
    set_limit(row, SIXTEEN, None, source="test", way="session")
    assert [action for action, _ in payloads()[2:]] == [
        "ClearChargingProfile",
        "SetChargingProfile",
        "GetCompositeSchedule",
    ]
    assert payloads()[2][1] == {"id": 9001}
    assert payloads()[3][1]["csChargingProfiles"]["chargingProfilePurpose"] == "TxDefaultProfile"
    # From now on this way is the one for this charger.
    set_limit(row, Decimal(20), None, source="test")
    assert payloads()[5][1]["csChargingProfiles"]["chargingProfileId"] == 9002


def test_only_our_own_limit_is_removed(row: ChargePoint) -> None:
    asked = set_limit(row, SIXTEEN, None, source="test", way="session")
    answered(asked.command, {"status": "Accepted"})
    removed = remove_limit(row, None, source="test")
    assert payloads()[2] == ("ClearChargingProfile", {"id": 9002})
    answered(removed.command, {"status": "Unknown"})
    found = limit_of(row)
    assert (found.verdict, found.amperes) == (Verdict.REMOVED, None)
    assert found.sentence == "No maximum current: it was removed."


def test_a_charger_that_knows_watt_only_gets_watt(row: ChargePoint) -> None:
    key = "ChargingScheduleAllowedChargingRateUnit"
    Command.objects.create(
        charge_point=row,
        action="GetConfiguration",
        state="answered",
        result={"configurationKey": [{"key": key, "readonly": True, "value": "Power"}]},
    )
    limit = set_limit(row, SIXTEEN, None, source="test", phases=1)
    assert limit.command is not None
    profile = limit.command.payload["csChargingProfiles"]["chargingSchedule"]
    assert profile["chargingRateUnit"] == "W"
    assert profile["chargingSchedulePeriod"] == [
        {"startPeriod": 0, "limit": 3680.0, "numberPhases": 1}
    ]
    assert limit.amperes == SIXTEEN


def test_who_may_not_send_sets_no_limit(row: ChargePoint) -> None:
    reader = User.objects.create_user("reader", is_staff=True)
    janitor = limited_to(Site.objects.create(name="ours"))
    for who, where in ((reader, row), (janitor, stranger_at())):
        with pytest.raises(NotAllowed):
            set_limit(where, SIXTEEN, who, source="test")
        with pytest.raises(NotAllowed):
            remove_limit(where, who, source="test")
    assert not Command.objects.exists()


@pytest.mark.parametrize(
    "result",
    [None, [], "", {"chargingSchedule": None}, {"chargingSchedule": {"chargingSchedulePeriod": 1}}],
)
def test_an_odd_answer_tells_nothing(result: Any) -> None:
    assert said(result) is None
