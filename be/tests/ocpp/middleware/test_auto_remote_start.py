"""AutoRemoteStart without a database: which StatusNotification leads to which effects."""

from datetime import timedelta
from typing import Any

import pytest

from levity.ocpp.chargers.quirks.matching import profile_for
from levity.ocpp.effects import ConnectorStatus, SendCall
from levity.ocpp.middleware import build_chain
from levity.ocpp.request import Response
from tests.ocpp.charger import NOW, at
from tests.ocpp.states import charge_point, connector, request, running

PATH = "levity.ocpp.middleware.auto_remote_start.AutoRemoteStart"
chain = build_chain([PATH])


def status(status: str = "Preparing", number: int = 1) -> dict[str, Any]:
    """The payload."""
    return {"connectorId": number, "errorCode": "NoError", "status": status}


def start(**other: Any) -> SendCall:
    """The Call for connector 1, plugged in at `NOW`."""
    usual: dict[str, Any] = {
        "action": "RemoteStartTransaction",
        "payload": {"connectorId": 1, "idTag": "anonymous"},
        "delay": timedelta(seconds=1),
        "expires_after": timedelta(minutes=3),
        "only_while": (1, "Preparing"),
        "only_since": NOW,
        "this_connection": True,
        "key": "auto-remote-start:1:2026-11-22T12:00:00+00:00",
        "source": "AutoRemoteStart",
    }
    return SendCall(**{**usual, **other})


def test_preparing_starts_a_transaction_a_second_later() -> None:
    """Grizzl-E (0.5) ignores a RemoteStartTransaction that comes earlier."""
    response = chain(request("StatusNotification", status()))
    assert response == Response({}, (ConnectorStatus(1, "Preparing", "NoError"), start()))


def test_preparing_again_has_the_key_of_the_first_time() -> None:
    """D-30: so the command queue ignores it."""
    known = charge_point(connectors={(0, 1): connector("Preparing", since=-20)})
    response = chain(request("StatusNotification", status(), charge_point=known))
    key = "auto-remote-start:1:2026-11-22T11:59:40+00:00"
    assert response.effects[1:] == (start(key=key, only_since=at(-20)),)


def test_preparing_after_another_status_is_a_new_plug_in() -> None:
    """Available in between."""
    known = charge_point(connectors={(0, 1): connector("Available", since=-20)})
    response = chain(request("StatusNotification", status(), charge_point=known))
    assert response.effects[1:] == (start(),)


@pytest.mark.parametrize(
    "word", ["Available", "Charging", "SuspendedEV", "prepared", "", "Faulted"]
)
def test_no_other_status_starts_anything(word: str) -> None:
    """Unknown words included."""
    response = chain(request("StatusNotification", status(word)))
    assert response.effects == (ConnectorStatus(1, word, "NoError"),)


def test_connector_0_is_no_connector() -> None:
    """It is the charge point as a whole."""
    response = chain(request("StatusNotification", status(number=0)))
    assert response.effects == (ConnectorStatus(0, "Preparing", "NoError"),)


def test_a_running_session_is_left_alone() -> None:
    """On this connector; another one does not matter."""
    busy = charge_point(active={(0, 1): running()})
    assert len(chain(request("StatusNotification", status(), charge_point=busy)).effects) == 1
    other = charge_point(active={(0, 2): running(connector=2)})
    assert len(chain(request("StatusNotification", status(), charge_point=other)).effects) == 2


def test_nothing_starts_where_a_card_has_to_be_presented() -> None:
    """Authorization `known`."""
    known = charge_point(authorization="known")
    assert len(chain(request("StatusNotification", status(), charge_point=known)).effects) == 1


def test_the_tag_can_be_chosen_in_the_entry() -> None:
    """Options travel beside the dotted path."""
    own = build_chain([(PATH, {"id_tag": "free"})])
    response = own(request("StatusNotification", status()))
    assert response.effects[1:] == (start(payload={"connectorId": 1, "idTag": "free"}),)


def test_other_messages_pass_it_by() -> None:
    """Not even a look."""
    assert chain(request("Heartbeat")).effects == ()


def test_a_quirk_profile_says_when_to_start() -> None:
    """EN+ leaves Preparing again when the start comes late."""
    quirks = profile_for("", "", "", overrides='{"remote_start_delay": 3.0}')
    known = charge_point(quirks=quirks)
    response = chain(request("StatusNotification", status(), charge_point=known))
    assert response.effects[1:] == (start(delay=timedelta(seconds=3)),)
