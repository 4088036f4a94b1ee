"""Which charging profiles a charger has, as far as is known."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from levity.ocpp.commands import lifecycle
from levity.ocpp.deciding import NotPossible
from levity.ocpp.decisions.charging_profiles import clear_one, end_profiles, installed
from levity.ocpp.models import InstalledProfile
from levity.ocpp.testing import wire
from tests.ocpp.open_line import OpenLine, clock

pytestmark = pytest.mark.django_db
ACCEPTED = {"status": "Accepted"}


@pytest.fixture
def line() -> OpenLine:
    return OpenLine()


def profile(number: int, level: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "chargingProfileId": number,
        "stackLevel": level,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}],
        },
        **more,
    }


def sets(line: OpenLine, what: dict[str, Any], connector: int = 1, said: str = "Accepted") -> None:
    payload = {"connectorId": connector, "csChargingProfiles": what}
    lifecycle.queue(line.row, "SetChargingProfile", payload, source="test")
    line.answers({"status": said})


def clears(line: OpenLine, said: str = "Accepted", **filters: Any) -> None:
    lifecycle.queue(line.row, "ClearChargingProfile", filters, source="test")
    line.answers({"status": said})


def there(line: OpenLine) -> list[int]:
    return sorted(item.profile.profile_id for item in installed(line.row))


def test_what_is_accepted_is_installed_and_what_is_refused_is_not(line: OpenLine) -> None:
    sets(line, profile(1, validTo="2036-01-01T00:00:00Z"))
    sets(line, profile(2, 2), said="Rejected")
    (only,) = installed(line.row)
    row = only.profile
    assert (row.profile_id, row.purpose, row.connector, row.state) == (
        *(1, "TxDefaultProfile", 1),
        "installed",
    )
    assert row.schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 16.0}]
    assert row.valid_to is not None
    assert only.doubt == ""


def test_the_same_id_or_the_same_place_and_level_replaces(line: OpenLine) -> None:
    sets(line, profile(1))
    sets(line, profile(1, 3))
    sets(line, profile(2, 3))
    sets(line, profile(3, 3), connector=2)
    assert there(line) == [2, 3]
    replaced = InstalledProfile.objects.filter(state="replaced").values_list("reason", flat=True)
    assert sorted(replaced) == ["replaced by profile 1", "replaced by profile 2"]


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        ({}, []),
        ({"id": 1}, [2, 3]),
        ({"id": 1, "connectorId": 2}, [2, 3]),
        ({"connectorId": 1}, [3]),
        ({"stackLevel": 2}, [1, 3]),
        ({"connectorId": 1, "stackLevel": 1}, [2, 3]),
        ({"chargingProfilePurpose": "TxProfile"}, [1, 2, 3]),
        ({"connectorId": 0}, [1, 2, 3]),
    ],
)
def test_a_clear_drops_all_that_fit_each_filter(
    line: OpenLine, filters: dict[str, Any], left: list[int]
) -> None:
    sets(line, profile(1, 1))
    sets(line, profile(2, 2))
    sets(line, profile(3, 1), connector=2)
    clears(line, **filters)
    assert there(line) == left


def test_a_charger_that_knows_none_has_none(line: OpenLine) -> None:
    sets(line, profile(1))
    clears(line, "Unknown", id=1)
    assert there(line) == []
    assert "it had none" in InstalledProfile.objects.get().reason


def test_it_is_not_sure_after_a_reboot(line: OpenLine) -> None:
    sets(line, profile(1))
    line.at(clock() + timedelta(minutes=5))
    line.site.take(line.charger.boots())
    (only,) = installed(line.row)
    assert "rebooted since" in only.doubt


def test_the_profile_of_a_session_ends_with_it(line: OpenLine) -> None:
    number = line.site.start(line.charger, timestamp=wire(line.charger.now))
    sets(line, profile(1, chargingProfilePurpose="TxProfile", transactionId=number))
    assert end_profiles(clock()) == 0
    stop = line.charger.stops(number, timestamp=wire(line.charger.now))
    line.site.take(stop)
    assert end_profiles(clock()) == 1
    assert there(line) == []


def test_a_profile_that_came_with_the_start_ends_with_the_session(line: OpenLine) -> None:
    payload = {
        "connectorId": 1,
        "idTag": "TAG",
        "chargingProfile": profile(7, chargingProfilePurpose="TxProfile"),
    }
    lifecycle.queue(line.row, "RemoteStartTransaction", payload, source="test")
    line.answers(ACCEPTED)
    assert there(line) == [7]
    line.at(clock() + timedelta(minutes=1))
    number = line.site.start(line.charger, timestamp=wire(line.charger.now))
    assert end_profiles(clock()) == 0
    line.site.take(line.charger.stops(number, timestamp=wire(line.charger.now)))
    assert end_profiles(clock()) == 1


def test_one_is_cleared_by_its_id(line: OpenLine) -> None:
    sets(line, profile(1))
    sets(line, profile(2, 2))
    row = InstalledProfile.objects.get(profile_id=1)
    clear_one(row, None, source="test")
    assert line.answers(ACCEPTED) == {"id": 1}
    assert there(line) == [2]
    row.refresh_from_db()
    with pytest.raises(NotPossible, match="not installed any more"):
        clear_one(row, None, source="test")


def test_the_statements_do_not_grow_with_the_profiles(line: OpenLine) -> None:
    def statements(count: int) -> int:
        for number in range(count):
            sets(line, profile(number, number))
        lifecycle.queue(line.row, "ClearChargingProfile", {}, source="test")
        ((unique_id, _, _),) = line.sent()
        event = line.charger.answers(unique_id, ACCEPTED)
        with CaptureQueriesContext(connection) as captured:
            line.site.take(event)
        assert there(line) == []
        return len(captured)

    assert statements(1) == statements(6)
