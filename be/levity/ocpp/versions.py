"""The versions of OCPP that are spoken here, and all in which they differ.

Whatever is done with a frame asks `version_of` its subprotocol for the functions and tables to do
it with; nothing else in Levity but `v16/` knows what the messages of a version are called.
"""

from collections.abc import Mapping

from levity.ocpp.request import Request, Response
from levity.ocpp.v16 import asks as asks_of_16
from levity.ocpp.v16 import calls as calls_of_16
from levity.ocpp.v16 import configuration as configuration_of_16
from levity.ocpp.v16 import evidence as evidence_of_16
from levity.ocpp.v16 import files as files_of_16
from levity.ocpp.v16 import guards as guards_of_16
from levity.ocpp.v16 import hints as hints_of_16
from levity.ocpp.v16 import limits as limits_of_16
from levity.ocpp.v16 import turns as turns_of_16
from levity.ocpp.v16.actions.crossed import begins_plainly as begins_plainly_in_16
from levity.ocpp.v16.actions.meant import ends_plainly as ends_plainly_in_16
from levity.ocpp.v16.forms import FORMS as FORMS_OF_16
from levity.ocpp.v16.references import references as references_of_16
from levity.ocpp.v16.routes import RESULTS as RESULTS_OF_16
from levity.ocpp.v16.routes import ROUTES as ROUTES_OF_16
from levity.ocpp.v16.schedules import schedule_in
from levity.ocpp.v16.schemas import SCHEMAS as SCHEMAS_OF_16
from levity.ocpp.v16.senseless import SENSELESS as SENSELESS_OF_16
from levity.ocpp.v16.senseless import end_by_early_stop as end_by_early_stop_of_16
from levity.ocpp.version import Asks, Calls, Configuration, Evidence, Limits, Version
from levity.ocpp.wire.subprotocols import SUBPROTOCOL

__all__ = [
    "ACTIONS",
    "ASKED",
    "DONE",
    "FREQUENT",
    "MATTERS",
    "OF_SESSIONS",
    "RETRIED",
    "ROUTES",
    "SAID",
    "SLOW",
    "V16",
    "VERSIONS",
    "Asks",
    "Calls",
    "Configuration",
    "Evidence",
    "Limits",
    "Version",
    "is_done",
    "route",
    "version_of",
]

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
    begins_plainly=begins_plainly_in_16,
    ends_plainly=ends_plainly_in_16,
    end_by_early_stop=end_by_early_stop_of_16,
    calls=Calls(
        actions=calls_of_16.ACTIONS,
        forms=FORMS_OF_16,
        done=calls_of_16.DONE,
        wrong_with=calls_of_16.wrong_with,
        objection=guards_of_16.objection,
        is_key_change=guards_of_16.is_key_change,
        carriers=calls_of_16.CARRIERS,
        lists=calls_of_16.LISTS,
        telling=calls_of_16.TELLING,
        matters=calls_of_16.MATTERS,
        tells_keys=hints_of_16.TELLS_KEYS,
        keys_in=hints_of_16.keys_in,
        hints=hints_of_16.hints,
        file_asked=files_of_16.asked,
        first=turns_of_16.FIRST,
        retries=turns_of_16.RETRIES,
        is_start=turns_of_16.is_start,
        takes_starts_back=turns_of_16.takes_starts_back,
        connector_of=turns_of_16.connector_of,
        ends_session=turns_of_16.ends_session,
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
        diagnostics=asks_of_16.diagnostics,
        log=asks_of_16.log,
        firmware=asks_of_16.firmware,
        signed_firmware=asks_of_16.signed_firmware,
        reserve=asks_of_16.reserve,
        cancel_reservation=asks_of_16.cancel_reservation,
        list_version=asks_of_16.list_version,
        list_limits=asks_of_16.list_limits,
        list_part=asks_of_16.list_part,
        profile=asks_of_16.profile,
        clear_profile=asks_of_16.clear_profile,
        current_limit=asks_of_16.current_limit,
        root_certificates=asks_of_16.root_certificates,
        no_root_certificate=asks_of_16.no_root_certificate,
    ),
    configuration=Configuration(
        keys=configuration_of_16.KEYS,
        about=configuration_of_16.about,
        danger=configuration_of_16.danger,
        after_boot=configuration_of_16.AFTER_BOOT,
        recommended=configuration_of_16.RECOMMENDED,
        most_asked="GetConfigurationMaxKeys",
        ask=configuration_of_16.ask,
        put=configuration_of_16.put,
    ),
    limits=Limits(
        actions=limits_of_16.ASKS,
        ways=limits_of_16.WAYS,
        unit_key=limits_of_16.UNIT_KEY,
        set=limits_of_16.set_limit,
        remove=limits_of_16.remove,
        check=limits_of_16.check,
        is_check=limits_of_16.is_check,
        way_of=limits_of_16.way_of,
        wanted=limits_of_16.wanted,
        schedule=schedule_in,
        said=limits_of_16.said,
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

RETRIED = frozenset(action for item in VERSIONS.values() for action in item.calls.retries)
"""Calls that may be sent a second time when no answer came, in whichever version."""

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
