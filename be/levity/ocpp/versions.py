"""The versions of OCPP that are spoken here, and all in which they differ.

Whatever is done with a frame asks `version_of` its subprotocol for the functions and tables to do
it with; nothing else in Levity but `v16/` knows what the messages of a version are called.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

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
from levity.ocpp.v16 import asks as asks_of_16
from levity.ocpp.v16 import calls as calls_of_16
from levity.ocpp.v16 import evidence as evidence_of_16
from levity.ocpp.v16 import guards as guards_of_16
from levity.ocpp.v16 import hints as hints_of_16
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
    "ASKED",
    "DONE",
    "FREQUENT",
    "MATTERS",
    "OF_SESSIONS",
    "ROUTES",
    "SAID",
    "SLOW",
    "V16",
    "VERSIONS",
    "Asks",
    "Calls",
    "Evidence",
    "Version",
    "is_done",
    "route",
    "version_of",
]

Ask = tuple[str, dict[str, Any]]
EndByEarlyStop = Callable[
    [ChargePointState, str, TransactionState, tuple[EarlyStop, ...], int], tuple[Effect, ...]
]


class Hints(Protocol):
    """Why a charger may have refused a Call."""

    def __call__(
        self,
        action: str,
        payload: Mapping[str, Any],
        status: str,
        keys: Mapping[str, tuple[str, bool]],
        *,
        runs: bool,
    ) -> list[str]:
        """A sentence each; empty: no idea. `runs`: a session runs there."""
        ...


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
    matters: frozenset[str]
    """Calls that change what a car may draw, who may charge, or what protects."""
    tells_keys: str
    """The Call whose answers tell how the charger is configured."""
    keys_in: Callable[[Any], dict[str, tuple[str, bool]]]
    """Such an answer -> key in lower case -> (value, it is read-only)."""
    hints: Hints
    """Why a charger may have refused a Call."""

    def conceal(self, action: str, payload: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        """The payload with its secrets masked, and all of it encrypted; "" if nothing is secret."""
        return conceal(payload) if action in self.carriers else (dict(payload), "")

    def stored_answer(self, action: str, text: str) -> str:
        """A charger's answer to this Call as it may be kept: JSON, if it is."""
        return stored_answer(text) if action in self.telling else text


@frozen
class Asks:
    """The Calls that Levity makes by itself, as (action, payload)."""

    boot: Callable[[], Ask]
    """Tell who you are."""
    interval: Callable[[int], Ask]
    """Send a heartbeat every so many seconds."""
    key: Callable[[str], Ask]
    """Come with this key from now on."""
    security_profile: Callable[[int], Ask]
    """Come with this security profile from now on."""
    start: Callable[[str, int], Ask]
    """Begin a session with this id tag on this connector."""
    stop: Callable[[int], Ask]
    """End this session."""
    certificate_request: Callable[[], Ask]
    """Make a new key, and ask for a certificate."""
    new_certificate: Callable[[str], Ask]
    """Take this certificate (PEM, the issuers behind it)."""


@frozen
class Evidence:
    """What chargers say later that shows that they have done what a Call of ours asked for."""

    asked: frozenset[str]
    """The Calls of ours that something later may show the fate of."""
    slow: frozenset[str]
    """Those of them that take hours."""
    said: frozenset[str]
    """The Calls of chargers that may show it."""
    confirmation: Callable[
        [str, Mapping[str, Any], datetime, str, Mapping[str, Any], datetime], str
    ]
    """(our action, payload, sent at, its action, payload, received at) -> by what it shows that
    ours was carried out, for people; empty if it does not."""


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
    frequent: frozenset[str]
    """Calls that come every few seconds or minutes, and would bury the others in a log."""
    begins: str
    """The Call that begins a session."""
    ends: str
    """The Call that ends one."""
    samples: str
    """The Call that brings samples of a meter."""
    end_by_early_stop: EndByEarlyStop
    """(charge point, connection, transaction, stops, id) -> its end by one of these stops, which
    came before it, under the id that an edge has given it."""
    calls: Calls
    asks: Asks
    evidence: Evidence


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
    frequent=calls_of_16.FREQUENT,
    begins=calls_of_16.BEGINS,
    ends=calls_of_16.ENDS,
    samples=calls_of_16.SAMPLES,
    end_by_early_stop=end_by_early_stop_of_16,
    calls=Calls(
        actions=calls_of_16.ACTIONS,
        done=calls_of_16.DONE,
        wrong_with=calls_of_16.wrong_with,
        objection=guards_of_16.objection,
        is_key_change=guards_of_16.is_key_change,
        carriers=calls_of_16.CARRIERS,
        telling=calls_of_16.TELLING,
        matters=calls_of_16.MATTERS,
        tells_keys=hints_of_16.TELLS_KEYS,
        keys_in=hints_of_16.keys_in,
        hints=hints_of_16.hints,
    ),
    asks=Asks(
        boot=asks_of_16.boot,
        interval=asks_of_16.interval,
        key=asks_of_16.key,
        security_profile=asks_of_16.security_profile,
        start=asks_of_16.start,
        stop=asks_of_16.stop,
        certificate_request=asks_of_16.certificate_request,
        new_certificate=asks_of_16.new_certificate,
    ),
    evidence=Evidence(
        asked=evidence_of_16.ASKED,
        slow=evidence_of_16.SLOW,
        said=evidence_of_16.SAID,
        confirmation=evidence_of_16.confirmation,
    ),
)

VERSIONS: Mapping[str, Version] = {V16.subprotocol: V16}
"""By subprotocol."""

ACTIONS = tuple(dict.fromkeys(name for item in VERSIONS.values() for name in item.calls.actions))
"""Every Call that can be asked of a charger, in whichever version."""

MATTERS = frozenset(action for item in VERSIONS.values() for action in item.calls.matters)
"""Calls that change what a car may draw, who may charge, or what protects."""

DONE = frozenset(status for item in VERSIONS.values() for status in item.calls.done)
"""The `status` of answers with which a charger did, or will do, what it was asked for."""

ROUTES = frozenset(action for version in VERSIONS.values() for action in version.routes)
"""Every Call of a charger that is answered here, in whichever version."""


FREQUENT = frozenset(action for version in VERSIONS.values() for action in version.frequent)
"""Calls that come every few seconds or minutes, and would bury the others in a log."""

OF_SESSIONS = frozenset(action for version in VERSIONS.values() for action in version.senseless)
"""Calls whose whole frames the records of sessions need."""

ASKED = frozenset(action for item in VERSIONS.values() for action in item.evidence.asked)
SLOW = frozenset(action for item in VERSIONS.values() for action in item.evidence.slow)
SAID = frozenset(action for item in VERSIONS.values() for action in item.evidence.said)
"""As in `Evidence`, of all versions."""


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
    return VERSIONS.get(request.subprotocol, V16).routes[request.action](request)
