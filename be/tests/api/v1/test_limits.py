"""The maximum current over the API."""

from collections.abc import Callable

import pytest

from levity.ocpp.models import AuditEntry, ChargePoint, Command, Site
from tests.api.conftest import Caller

PATH = "charge-points/CP-1/limit"


@pytest.fixture
def charger(db: None) -> ChargePoint:
    return ChargePoint.objects.create(identity="CP-1", site=Site.objects.create(name="ours"))


def test_a_limit_is_set_seen_and_removed(
    caller: Callable[..., Caller], charger: ChargePoint
) -> None:
    ask = caller("operate")
    assert ask.get(PATH)["verdict"] == "none"
    answer = ask("PUT", PATH, {"amperes_a": "10.6"})
    assert answer.status_code == 202
    order, check = Command.objects.order_by("id")
    assert answer.json() | {"set_at": ""} == {
        "amperes_a": "10.5",
        "allowed_a": None,
        "verdict": "waiting",
        "sentence": "10.5 A: queued until the charger connects.",
        "way": "charger",
        "set_at": "",
        "command_id": order.pk,
        "check_id": check.pk,
    }
    Command.objects.filter(pk=order.pk).update(state="answered", result_status="Accepted")
    period = {"startPeriod": 0, "limit": 10.5}
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [period]}
    result = {"status": "Accepted", "chargingSchedule": schedule}
    Command.objects.filter(pk=check.pk).update(state="answered", result=result)
    found = ask.get("charge-points/cp-1/limit")
    assert (found["verdict"], found["allowed_a"]) == ("proved", "10.5")
    assert ask("DELETE", PATH).status_code == 202
    assert Command.objects.get(action="ClearChargingProfile").payload == {"id": 9001}
    assert AuditEntry.objects.filter(kind="ocpp.command").count() == 4


@pytest.mark.parametrize("amperes", ["5.9", "126", "NaN", "x", None, "40"])
def test_what_is_no_limit_sends_nothing(
    amperes: object, caller: Callable[..., Caller], charger: ChargePoint
) -> None:
    answer = caller("operate")("PUT", PATH, {"amperes_a": amperes})
    assert answer.status_code == (409 if amperes == "40" else 422)
    assert not Command.objects.exists()


def test_who_may_only_read_or_sees_another_site_sets_none(
    caller: Callable[..., Caller], charger: ChargePoint
) -> None:
    assert caller("read")("PUT", PATH, {"amperes_a": "16"}).status_code == 403
    stranger = caller("operate", sites=[Site.objects.create(name="theirs")])
    assert stranger("PUT", PATH, {"amperes_a": "16"}).status_code == 404
    assert not Command.objects.exists()
