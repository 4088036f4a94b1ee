"""What the answers to our Calls mean: one function an action, effects and nothing else."""

from typing import Any

import pytest

from levity.ocpp.effects import (
    CertificateInstalled,
    CertificateRefused,
    Effect,
    KeyAccepted,
    KeyRefused,
    ProfileAccepted,
    UpdateChargePoint,
)
from levity.ocpp.request import Result
from levity.ocpp.rules.holds import Holds
from levity.ocpp.v16.calls import ACTIONS
from levity.ocpp.v16.routes import RESULTS
from levity.ocpp.wire.masking import MASK
from tests.ocpp.charger import NOW
from tests.ocpp.states import charge_point

KEY = {"key": "AuthorizationKey", "value": MASK}
PROFILE = {"key": " securityprofile", "value": "2"}
WAIT = {"key": "ConnectionTimeOut", "value": "90"}
UNREADABLE = {"error_code": "Unparsable", "is_unreadable": True}
WAITS = (UpdateChargePoint({"connection_timeout": 90}),)


def meaning(action: str, asked: dict[str, Any], **said: Any) -> tuple[Effect, ...]:
    """Of this answer to command 7."""
    return RESULTS[action](Result(asked, 7, charge_point(), NOW, **said))


def test_results_are_of_calls_that_are_sent() -> None:
    assert set(RESULTS) <= set(ACTIONS)


@pytest.mark.parametrize(
    ("asked", "said", "effects"),
    [
        (KEY, {"status": "Accepted"}, (KeyAccepted(7),)),
        # Until it has restarted, the charger comes with the old one.
        (KEY, {"status": "RebootRequired"}, ()),
        (KEY, {"status": "Rejected"}, (KeyRefused(7),)),
        (KEY, {"error_code": "InternalError"}, (KeyRefused(7),)),
        (KEY, UNREADABLE, ()),
        (PROFILE, {"status": "Accepted"}, (ProfileAccepted(2),)),
        (PROFILE, {"status": "RebootRequired"}, (ProfileAccepted(2),)),
        (PROFILE, {"status": "Rejected"}, ()),
        ({**PROFILE, "value": "x"}, {"status": "Accepted"}, ()),
        (WAIT, {"status": "Accepted"}, WAITS),
        (WAIT, {"status": "Rejected"}, ()),
        ({**WAIT, "value": "0"}, {"status": "Accepted"}, ()),
        ({}, {"status": "Accepted"}, ()),
    ],
)
def test_change_configuration(
    asked: dict[str, Any], said: dict[str, Any], effects: tuple[Effect, ...]
) -> None:
    assert meaning("ChangeConfiguration", asked, **said) == effects


@pytest.mark.parametrize(
    ("payload", "effects"),
    [
        ({"configurationKey": [7, {"key": "X"}, WAIT]}, WAITS),
        ({"configurationKey": {}}, ()),
        (None, ()),
        ([], ()),
    ],
)
def test_get_configuration(payload: Any, effects: tuple[Effect, ...]) -> None:
    assert meaning("GetConfiguration", {}, payload=payload) == effects


@pytest.mark.parametrize(
    ("said", "effect"),
    [
        ({"status": "Accepted"}, CertificateInstalled(7)),
        ({"status": "Rejected"}, CertificateRefused(7, "Rejected")),
        ({"error_code": "NotImplemented"}, CertificateRefused(7, "NotImplemented")),
        ({}, CertificateRefused(7, "")),
    ],
)
def test_certificate_signed(said: dict[str, Any], effect: Effect) -> None:
    assert meaning("CertificateSigned", {}, **said) == (effect,)


@pytest.mark.parametrize(
    ("asked", "said", "held"),
    [
        ({"idTag": "ANNA", "connectorId": 2}, {"status": "Accepted"}, [("ANNA", 2)]),
        ({"idTag": "ANNA"}, {"status": "Accepted"}, [("ANNA", 0)]),
        ({"idTag": "ANNA", "connectorId": 2}, {"status": "Rejected"}, None),
        ({"idTag": "ANNA"}, {"status": "Accepted", "is_automatic": True}, None),
        ({"connectorId": 2}, {"status": "Accepted"}, None),
    ],
)
def test_remote_start_transaction(asked: dict[str, Any], said: dict[str, Any], held: Any) -> None:
    """Who is to charge holds the connector; a start that nobody asked for holds nothing."""
    effects = meaning("RemoteStartTransaction", asked, **said)
    if held is None:
        assert effects == ()
        return
    [told] = effects
    assert isinstance(told, UpdateChargePoint)
    holds = Holds.of(told.values["holds"]).holds
    assert [(item.id_tag, item.connector) for item in holds] == held
