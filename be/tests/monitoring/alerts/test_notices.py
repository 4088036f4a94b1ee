"""An error beside Available is an event: which card, and over by itself (MicroOcpp 1.2.0)."""

from typing import Any

import pytest

from levity.monitoring.alerts import conditions
from levity.monitoring.alerts.notices import charger_notices
from levity.ocpp.chargers.faults import FAULT, NOTICE
from levity.ocpp.models import ChargePoint, Command, Connector, IdTag
from tests.ocpp.charger import CentralSystem, Charger, at

pytestmark = pytest.mark.django_db


def summaries(seconds: float) -> list[str]:
    """What is told at that time."""
    return [finding.summary for finding in charger_notices(at(seconds))]


class Conflict:
    """A charger with a local list that says of a card what we don't."""

    def __init__(self) -> None:
        self.site, self.charger = CentralSystem(), Charger()
        self.site.connect(self.charger)

    def took_the_list(self, seconds: float, *entries: dict[str, Any], full: bool = True) -> None:
        """SendLocalList, accepted."""
        Command.objects.create(
            charge_point=ChargePoint.objects.get(),
            action="SendLocalList",
            payload={
                "listVersion": 1,
                "updateType": "Full" if full else "Differential",
                "localAuthorizationList": list(entries),
            },
            state="answered",
            result_status="Accepted",
            finished_at=at(seconds),
        )

    def says(self, seconds: float, action: str, payload: dict[str, Any]) -> None:
        """As mo16-8 has it."""
        self.charger.now = seconds
        self.site.result(self.charger.calls(action, payload))

    def conflicts(self, seconds: float, card: str) -> None:
        """Authorize, and what the firmware says of its answer, twice."""
        self.says(seconds, "Authorize", {"idTag": card})
        for step in (0.01, 0.02):
            self.says(
                seconds + step,
                "StatusNotification",
                {"connectorId": 0, "errorCode": "LocalListConflict", "status": "Available"},
            )


def listed(card: str, status: str) -> dict[str, Any]:
    """An entry of a local list."""
    return {"idTag": card, "idTagInfo": {"status": status}}


def test_a_local_list_that_disagrees_names_the_card_and_both_answers() -> None:
    """Each card once, however often it is told."""
    garage = Conflict()
    IdTag.objects.create(id_tag="5AFE0502", status="Blocked")
    garage.took_the_list(-100, listed("5AFE0502", "Accepted"), listed("OTHER", "Accepted"))
    garage.took_the_list(-50, listed("5AFE0504", "Blocked"), {"idTag": "GONE"}, full=False)
    garage.conflicts(0, "5AFE0502")
    garage.conflicts(10, "5afe0504")
    garage.conflicts(20, "5AFE0502")
    garage.conflicts(30, "GONE")
    garage.conflicts(40, "STRANGER")
    told = "CP1: its local list disagrees with the id tags here on"
    assert summaries(60) == [
        f"{told} STRANGER: not listed there, Accepted here",
        f"{told} GONE: removed there, Accepted here",
        f"{told} 5AFE0502: Accepted there, Blocked here",
        f"{told} 5afe0504: Blocked there, Accepted here",
    ]


def test_it_is_no_fault_anywhere() -> None:
    """Alert, dashboard and filter ask the same question."""
    Conflict().conflicts(0, "X")
    assert not Connector.objects.filter(FAULT).exists()
    assert Connector.objects.filter(NOTICE).exists()
    assert conditions.charger_faults() == []


def test_it_ends_with_the_next_list_the_next_status_or_a_day() -> None:
    """OCPP has no word for its end."""
    garage = Conflict()
    garage.conflicts(0, "X")
    assert len(summaries(86_000)) == 1
    assert summaries(86_500) == []
    garage.took_the_list(100, listed("X", "Accepted"))
    assert summaries(200) == []
    garage.conflicts(300, "X")
    assert len(summaries(310)) == 1
    garage.says(
        320,
        "StatusNotification",
        {"connectorId": 0, "errorCode": "NoError", "status": "Available"},
    )
    assert summaries(330) == []


@pytest.mark.parametrize("error", ["OtherError", "WeakSignal", "Own:17"])
def test_any_error_beside_available_is_told_for_a_day(error: str) -> None:
    """The same kind; the fault of a connector that is not Available is one as long as it lasts."""
    garage = Conflict()
    status = {"connectorId": 1, "errorCode": error, "status": "Available", "info": "what"}
    garage.says(0, "StatusNotification", status)
    assert summaries(86_000) == [f"connector 1 of CP1 reported {error} while Available"]
    assert summaries(86_500) == []
    assert conditions.charger_faults() == []
    garage.says(86_600, "StatusNotification", {**status, "status": "Faulted"})
    assert summaries(86_700) == []
    assert len(conditions.charger_faults()) == 1


def test_a_conflict_of_which_the_card_is_not_known_is_told_all_the_same() -> None:
    """The log may be shorter than that."""
    garage = Conflict()
    garage.says(
        0,
        "StatusNotification",
        {"connectorId": 0, "errorCode": "LocalListConflict", "status": "Available"},
    )
    assert summaries(10) == ["CP1: its local list disagrees with the id tags here"]
