"""What is no Call of OCPP 1.6 is never sent, and whoever asked for it sees why (HOUSE 2, 5)."""

from typing import Any

import pytest
from django.core.exceptions import MiddlewareNotUsed

from levity.ocpp.checks import check_middleware
from levity.ocpp.commands import lifecycle
from levity.ocpp.effects import SendCall
from levity.ocpp.middleware import BadMiddleware, build_chain
from levity.ocpp.models import ChargePoint, Command
from levity.ocpp.request import ChargePointState, GetResponse, Request, Response
from levity.ocpp.v16.calls import ACTIONS, wrong_with
from tests.ocpp.charger import CentralSystem, Charger, at

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("action", "payload", "said"),
    [
        ("Nonsense", {}, "'Nonsense' is not a command of OCPP 1.6: there are CancelReservation, "),
        ("reset", {"type": "Soft"}, "'reset' is not a command of OCPP 1.6: did you mean Reset?"),
        ("Rest", {"type": "Soft"}, "'Rest' is not a command of OCPP 1.6: did you mean Reset?"),
        ("Reset", {"type": "Sideways"}, "Reset: type must be Hard or Soft"),
        ("Reset", {}, "Reset: type is missing"),
        ("GetConfiguration", [], "GetConfiguration: the payload must be an object, such as {}"),
        (
            "UnlockConnector",
            {"connectorId": "1"},
            "UnlockConnector: connectorId must be",
        ),
    ],
)
def test_what_is_no_call_is_refused_where_it_is_asked_for(
    action: str, payload: Any, said: str
) -> None:
    """Nothing is queued; `force` sends what a charger knows beyond the standard."""
    CentralSystem().connect(Charger())
    charge_point = ChargePoint.objects.get()
    with pytest.raises(lifecycle.BadCall) as refused:
        lifecycle.queue(charge_point, action, payload, source="test")
    assert str(refused.value).startswith(said)
    assert not Command.objects.exists()


def test_what_is_beyond_the_standard_is_sent_by_force() -> None:
    """A trigger of the maker's own."""
    CentralSystem().connect(Charger())
    payload = {"requestedMessage": "VendorStatus"}
    command = lifecycle.queue(
        ChargePoint.objects.get(), "TriggerMessage", payload, source="test", force=True
    )
    assert command.state == "queued"


def test_every_action_has_a_schema() -> None:
    """None of them fails for want of one."""
    for action in ACTIONS:
        wrong_with(action, {})


class Careless:
    """Asks for a Call that is none, at each heartbeat."""

    actions = frozenset({"Heartbeat"})

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Request) -> Response:
        """With the Call."""
        call = SendCall("Reset", {"type": "Sideways"}, source="careless")
        return self.get_response(request).adding(call)


class Forgetful(Careless):
    """Does not say `return`."""

    def __call__(self, request: Request) -> Response:
        """Nothing."""
        self.get_response(request)
        return None  # type: ignore[return-value]  # what it is about


class NotHere(Careless):
    """Finds nothing to do, as Django's middleware may."""

    def __init__(self, get_response: GetResponse) -> None:
        raise MiddlewareNotUsed("no tariff is set up")


def test_a_middleware_that_asks_for_one_sees_it_fail(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """On the list of commands and in the log; the charger's frame is answered all the same."""
    settings.OCPP_MIDDLEWARE = [f"{__name__}.Careless"]
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    site.result(charger.calls("Heartbeat"))
    command = Command.objects.get()
    assert (command.state, command.error_description, command.finished_at) == (
        "failed",
        "never sent: Reset: type must be Hard or Soft",
        at(0),
    )
    assert "careless asks for a Call that is none: Reset: type must be Hard or Soft" in caplog.text


def request(action: str) -> Request:
    """A Call of some charger."""
    return Request(action, {}, "1", "", at(0), ChargePointState(1, "CP1"))


def test_a_middleware_that_forgets_to_return_is_named() -> None:
    """Not an AttributeError somewhere else."""
    chain = build_chain([f"{__name__}.Forgetful"])
    with pytest.raises(BadMiddleware) as error:
        chain(request("Heartbeat"))
    assert str(error.value) == (
        f"'{__name__}.Forgetful' returned None, not a Response; is a `return` missing?"
    )


def test_a_middleware_that_is_not_used_is_left_out(settings: Any) -> None:
    """As in Django: no error, and the others work."""
    settings.OCPP_MIDDLEWARE = [f"{__name__}.NotHere"]
    assert check_middleware() == []
    chain = build_chain([f"{__name__}.NotHere", f"{__name__}.Careless"])
    assert len(chain(request("Heartbeat")).effects) == 1
