"""What versions of OCPP differ in, as a form that `versions.py` fills in: data and functions."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from levity.ocpp.call_forms import CallForm
from levity.ocpp.chargers.security.concealment import conceal, conceal_list, stored_answer
from levity.ocpp.effects import CertificateHash, Effect, FileAsked
from levity.ocpp.references import References
from levity.ocpp.request import (
    ChargePointState,
    EarlyStop,
    GetEffects,
    GetResponse,
    Response,
    Senseless,
    TransactionState,
)
from levity.ocpp.rules.asking import Booking, KeptProfile
from levity.ocpp.rules.chain.plain import Glance
from levity.ocpp.rules.configuration import KeyInfo
from levity.ocpp.rules.local_list import Part
from levity.ocpp.schedules import Schedule
from levity.ocpp.wire.frames import Frame
from levity.ocpp.wire.schema import Schemas
from levity_ws.frozen import frozen

__all__ = ["Asks", "Calls", "Configuration", "Evidence", "Hints", "Limits", "Version"]

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
        has_all: bool = False,
    ) -> list[str]:
        """A sentence each; empty: no idea. `runs`: a session runs there. `has_all`: these are all
        of its keys."""
        ...


@frozen
class Calls:
    """What a central system can ask of a charger."""

    actions: tuple[str, ...]
    forms: tuple[CallForm, ...]
    """What people can ask of a charger, and what must be known for it; every action has one."""
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
    lists: Mapping[str, str]
    """Calls that name id tags of all sites -> the field with them: only their number is shown."""
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
    file_asked: Callable[[str, Mapping[str, Any]], FileAsked | None]
    """(action, payload) -> the upload or update that it asks for."""
    first: frozenset[str]
    """Calls that go before all others."""
    retries: Mapping[str, int]
    """How often a Call that only reads is sent again when no answer came in time."""
    is_start: Callable[[str], bool]
    """The Call begins a session."""
    takes_starts_back: Callable[[str], bool]
    """No start that waits for the connector of this Call may go out after it."""
    connector_of: Callable[[Mapping[str, Any]], int | None]
    """payload -> the connector that it names."""
    ends_session: Callable[[Mapping[str, Any]], int | None]
    """payload -> the transactionId that it names."""

    def removes_all(self, action: str, payload: Mapping[str, Any]) -> str:
        """What this Call removes because it names nothing, for people; empty: it does not."""
        if payload:
            return ""
        found = (form.all_if_empty for form in self.forms if form.action == action)
        return next(filter(None, found), "")

    def priority(self, action: str) -> int:
        """Lower goes first; of the same, in the order in which they were asked for."""
        return 0 if action in self.first else 1

    def conceal(self, action: str, payload: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        """The payload with its secrets masked, and all of it encrypted; "" if nothing is secret."""
        if action in self.lists:
            return conceal_list(payload, self.lists[action])
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
    stop: Callable[[int | str], Ask]
    """End this session."""
    certificate_request: Callable[[], Ask]
    """Make a new key, and ask for a certificate."""
    new_certificate: Callable[[str], Ask]
    """Take this certificate (PEM, the issuers behind it)."""
    diagnostics: Callable[[str, datetime | None, datetime | None], Ask]
    """Upload diagnostics of this time to this URL."""
    log: Callable[[str, str, int, datetime | None, datetime | None], Ask]
    """(URL, kind, number of the request, time) -> upload this log."""
    firmware: Callable[[str, datetime], Ask]
    """Fetch the firmware at this URL from then on, and install it."""
    signed_firmware: Callable[[str, datetime, int, str, str], Ask]
    """(URL, time, number of the request, certificate, signature) -> the same, if it is signed."""
    reserve: Callable[[Booking], Ask]
    """Keep a connector for somebody."""
    cancel_reservation: Callable[[int], Ask]
    """Keep it no longer: the reservation of this number."""
    list_version: Callable[[], Ask]
    """Which version has your local list?"""
    list_limits: Callable[[], Ask]
    """How many entries do you take?"""
    list_part: Callable[[Part], Ask]
    """Put these on your local list, or take them off it."""
    current_limit: Callable[[int, Decimal, int], Ask]
    """Let no session on this connector take more than so many A on each phase."""
    profile: Callable[[KeptProfile], Ask]
    """Have this charging profile."""
    clear_profile: Callable[[int], Ask]
    """Drop the charging profile of this id."""
    root_certificates: Callable[[str], Ask]
    """Which certificates of this type do you have?"""
    no_root_certificate: Callable[[CertificateHash], Ask]
    """Trust this authority no longer."""


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
class Configuration:
    """The configuration keys of the standard."""

    keys: tuple[KeyInfo, ...]
    about: Callable[[str], KeyInfo | None]
    """What is known of a key, in any case; None for a vendor's own."""
    danger: Callable[[str], str]
    """What can go wrong when a key is changed, for people; empty: nothing much."""
    after_boot: tuple[str, ...]
    """The keys that are asked for once, because other decisions depend on them."""
    recommended: Mapping[str, str]
    """Values that are good for most chargers."""
    most_asked: str
    """The key that tells how many keys can be asked for at once."""
    ask: Callable[[Sequence[str]], Ask]
    """Tell how these keys are configured; all, if none is named."""
    put: Callable[[str, str], Ask]
    """Set this key to this value."""


@frozen
class Limits:
    """One limit of a whole charge point that always holds."""

    actions: frozenset[str]
    """The Calls that set it, remove it and ask for it."""
    ways: Mapping[str, str]
    """The ways to set it, the best first, and what each is, for people."""
    unit_key: str
    """The key that names the units that the charger knows, in lower case."""
    set: Callable[[str, Decimal, str, int, datetime], Ask]
    """(way, A on each phase, unit, phases, now)"""
    remove: Callable[[str], Ask]
    """(way)"""
    check: Callable[[str], Ask]
    """(way): what do you allow?"""
    is_check: Callable[[str, Any], bool]
    way_of: Callable[[str, Any], str]
    """(action, payload) -> the way in which it sets or removes our limit; empty: it does not."""
    wanted: Callable[[str, Any], Decimal | None]
    """(action, payload) -> how many A it sets; None if it removes the limit."""
    schedule: Callable[[Any, Any], Schedule | None]
    """(payload, answer) -> the schedule that the answer tells, or else the Call sets."""
    said: Callable[[Any], Decimal | None]
    """The answer to a check -> how many A the charger allows; None if it does not tell."""


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
    begins_plainly: Callable[[Glance, Decimal], bool]
    """(session before on its connector, register) -> a start there needs no other session."""
    ends_plainly: Callable[[TransactionState, Mapping[str, Any], ChargePointState, datetime], bool]
    """(session that is named, payload, charge point, received at) -> this end of it needs no other
    session to be understood."""
    end_by_early_stop: EndByEarlyStop
    """(charge point, connection, transaction, stops, id) -> its end by one of these stops, which
    came before it, under the id that an edge has given it."""
    calls: Calls
    asks: Asks
    configuration: Configuration
    limits: Limits
    evidence: Evidence
