"""The versions of OCPP that are spoken here, and all in which they differ.

Whatever is done with a frame asks `version_of` its subprotocol for the functions and tables to do
it with; nothing else in Levity but `v16/` knows what the messages of a version are called.
"""

from collections.abc import Callable, Mapping
from typing import Any

from levity.ocpp.chargers.security.concealment import conceal, stored_answer
from levity.ocpp.effects import Effect
from levity.ocpp.references import References
from levity.ocpp.request import (
    ChargePointState,
    EarlyStop,
    GetEffects,
    GetResponse,
    Request,
    Response,
    Senseless,
    TransactionState,
)
from levity.ocpp.v16 import calls as calls_of_16
from levity.ocpp.v16 import guards as guards_of_16
from levity.ocpp.v16.references import references as references_of_16
from levity.ocpp.v16.routes import RESULTS as RESULTS_OF_16
from levity.ocpp.v16.routes import ROUTES as ROUTES_OF_16
from levity.ocpp.v16.schemas import SCHEMAS as SCHEMAS_OF_16
from levity.ocpp.v16.senseless import SENSELESS as SENSELESS_OF_16
from levity.ocpp.v16.senseless import end_by_early_stop as end_by_early_stop_of_16
from levity.ocpp.wire.frames import Frame
from levity.ocpp.wire.schema import Schemas
from levity.ocpp.wire.subprotocols import SUBPROTOCOL
from levity_ws.frozen import frozen

__all__ = [
    "ACTIONS",
    "DONE",
    "ROUTES",
    "V16",
    "VERSIONS",
    "Calls",
    "Version",
    "is_done",
    "route",
    "version_of",
]

EndByEarlyStop = Callable[
    [ChargePointState, str, TransactionState, tuple[EarlyStop, ...], int], tuple[Effect, ...]
]


@frozen
class Calls:
    """What a central system can ask of a charger."""

    actions: tuple[str, ...]
    done: frozenset[str]
    """The `status` of answers with which the charger did, or will do, what it was asked for."""
    wrong_with: Callable[[str, Any], str]
    """(action, payload) -> why this is no Call of this version, for people; empty if it is one."""
    objection: Callable[[str, Mapping[str, Any], int], str]
    """(action, payload, profile) -> why this must not be sent to a charge point of this security
    profile, for people; empty if it may."""
    is_key_change: Callable[[str, Mapping[str, Any]], bool]
    """(action, payload) -> it gives the charger a new key."""
    carriers: frozenset[str]
    """Calls that can hold a secret."""
    telling: frozenset[str]
    """Calls whose answers may tell a secret."""

    def conceal(self, action: str, payload: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        """The payload with its secrets masked, and all of it encrypted; "" if nothing is secret."""
        return conceal(payload) if action in self.carriers else (dict(payload), "")

    def stored_answer(self, action: str, text: str) -> str:
        """A charger's answer to this Call as it may be kept: JSON, if it is."""
        return stored_answer(text) if action in self.telling else text


@frozen
class Version:
    """One version of OCPP."""

    subprotocol: str
    """Its name in Sec-WebSocket-Protocol (OCPP-J, 3.1.2)."""
    title: str
    """For people."""
    schemas: Schemas
    references: Callable[[Frame, str], References]
    """What a frame points to; it is loaded before the handler runs."""
    routes: Mapping[str, GetResponse]
    """Which function answers which Call of a charger."""
    results: Mapping[str, GetEffects]
    """Which function says what the answer to a Call of ours means."""
    senseless: Mapping[str, Callable[[Senseless], Response]]
    """Which Calls are answered with a result whatever is wrong with them, and with which."""
    timeless: frozenset[str]
    """Calls that may come again word for word, where the charger's ids begin anew, and mean now."""
    asks_time: str
    """The Call that asks what time it is."""
    end_by_early_stop: EndByEarlyStop
    """(charge point, connection, transaction, stops, id) -> its end by one of these stops, which
    came before it, under the id that an edge has given it."""
    calls: Calls


V16 = Version(
    subprotocol=SUBPROTOCOL,
    title="OCPP 1.6",
    schemas=SCHEMAS_OF_16,
    references=references_of_16,
    routes=ROUTES_OF_16,
    results=RESULTS_OF_16,
    senseless=SENSELESS_OF_16,
    timeless=calls_of_16.TIMELESS,
    asks_time=calls_of_16.ASKS_TIME,
    end_by_early_stop=end_by_early_stop_of_16,
    calls=Calls(
        actions=calls_of_16.ACTIONS,
        done=calls_of_16.DONE,
        wrong_with=calls_of_16.wrong_with,
        objection=guards_of_16.objection,
        is_key_change=guards_of_16.is_key_change,
        carriers=calls_of_16.CARRIERS,
        telling=calls_of_16.TELLING,
    ),
)

VERSIONS: Mapping[str, Version] = {V16.subprotocol: V16}
"""By subprotocol."""

ACTIONS = tuple(dict.fromkeys(name for item in VERSIONS.values() for name in item.calls.actions))
"""Every Call that can be asked of a charger, in whichever version."""

DONE = frozenset(status for item in VERSIONS.values() for status in item.calls.done)
"""The `status` of answers with which a charger did, or will do, what it was asked for."""

ROUTES = frozenset(action for version in VERSIONS.values() for action in version.routes)
"""Every Call of a charger that is answered here, in whichever version."""


def is_done(status: str) -> bool:
    """True if this `status` of an answer means that the charger does what it was asked for."""
    return status in DONE


def version_of(subprotocol: str) -> Version:
    """The version that this negotiated subprotocol stands for.

    OCPP 1.6 for a charger that named none, and for 1.6's other names: at the handshake no other
    version was let in.
    """
    return VERSIONS.get(subprotocol, V16)


def route(request: Request) -> Response:
    """What the handler of this request says: the innermost link of the middleware's chain."""
    return version_of(request.subprotocol).routes[request.action](request)
