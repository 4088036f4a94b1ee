"""The certification cases in which the central system sends Calls: wire and books.

Each is named by its id in docs/evidence/conformance.md. The Calls are sent with
`levity send_command`, as an operator would; the charger checks each against the official schema,
and what it answers and does is compared with what the database says afterwards.
"""

import base64
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ocpp.v16 import call

from levity.ocpp.models import (
    ChargePoint,
    Command,
    FileJob,
    InstalledCertificate,
    InstalledProfile,
    LocalList,
    Message,
    Reservation,
    SecurityEvent,
)
from levity.ocpp.v16.calls import ACTIONS as CALLS
from tests.promises.conformance.cases import (
    Case,
    ago,
    all_titles,
    authorize,
    boot,
    measure,
    start,
    status,
    stop,
    titles,
)
from tests.promises.conformance.conftest import case_id
from tests.promises.conformance.operator import (
    ACTIONS,
    Commanded,
    Operator,
    operator_of,
    program_of,
)
from tests.system.site import Site

ACCEPTED = {"status": "Accepted"}
WHERE = "https://files.example.com/"
LATER = "2036-01-01T00:00:00Z"
SCHEDULE = {
    "chargingRateUnit": "A",
    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10.0}],
}
# test_security_cases.py
ELSEWHERE = {"TC_073_CSMS", "TC_074_CSMS", "TC_077_CSMS", "TC_083_CSMS"}


@pytest.fixture(scope="module", params=["shell", "api"])
def operator(request: pytest.FixtureRequest, site: Site) -> Iterator[Operator]:
    """Each case is played twice: by `levity send_command`, and over the REST API."""
    if request.param == "api":
        yield program_of(site)
        return
    with operator_of(site) as one:
        yield one


class Operated(Case):
    """A case with an operator; `play` lets both act."""

    def __init__(self, site: Site, operator: Operator, number: str) -> None:
        super().__init__(site, f"TC-{number}{operator.suffix}")
        self.operator = operator

    def run(self, script: Any) -> Any:
        """Connect, play, leave."""
        return self.operator.play(self.site, self.identity, script)

    def commands(self) -> list[tuple[str, dict[str, Any], str, str]]:
        """(action, payload, state, status of the answer) of all commands."""
        fields = ("action", "payload", "state", "result_status")
        return self.site.books.rows(Command, *fields, **self.mine)

    def kept(self, model: type[Any], *fields: str) -> list[tuple[Any, ...]]:
        """These columns of its rows of this kind, oldest first."""
        return self.site.books.rows(model, *fields, **self.mine)

    def reservations(self) -> list[tuple[Any, ...]]:
        """(number, connector, state, answer) of its reservations."""
        return self.kept(Reservation, "number", "connector", "state", "said")

    def local_list(self) -> list[tuple[Any, ...]]:
        """(version, answer, kept in step) of its local list."""
        return self.kept(LocalList, "version", "said", "is_on")

    def profiles(self) -> list[tuple[Any, ...]]:
        """(id, connector, purpose, session, state) of its charging profiles."""
        return self.kept(InstalledProfile, "profile_id", "connector", "purpose", "session", "state")

    def now(self, *fields: str) -> dict[str, Any]:
        """These columns of the charge point."""
        return self.site.books.row(ChargePoint, *fields, identity=self.identity)

    def asked(self) -> list[tuple[str, str]]:
        """(action, error) of the Calls that we sent, from the message log: each has its answer."""
        rows = self.site.books.rows(
            Message, "action", "error_code", "response", sender="cs", **self.mine
        )
        assert [action for action, _, response in rows if not response] == []
        return [(action, error) for action, error, _ in rows]


def sends_and_gets(
    site: Site,
    operator: Operator,
    number: str,
    action: str,
    payload: dict[str, Any],
    answer: dict[str, Any],
    said: Any = None,
    shown: Any = None,
) -> Operated:
    """One Call, one answer; the operator reads it, and both are on the books."""
    case = Operated(site, operator, number)

    async def script(charger: Commanded) -> Any:
        charger.answers[action] = answer
        await boot(charger)
        ended = await operator.sends(charger, action, payload)
        return ended, [name for name, _ in charger.asked]

    (code, result), asked = case.run(script)
    word = answer.get("status", "")
    good = word in ("", "Accepted", "Unlocked")
    assert (code, result, asked) == (0 if good else 1, said or answer, [action])
    assert case.commands() == [(action, shown or payload, "answered", word)]
    assert case.asked() == [(action, "")]
    assert case.is_clean()
    return case


def session(case: Operated, tag: str, reason: str | None = None, state: str = "active") -> None:
    """The one session of this case is on the books, as it went."""
    rows = case.transactions("state", "id_tag", "connector", "meter_start", "stop_reason", "flags")
    assert rows == [(state, tag, 1, Decimal(1000), reason or "", "")]


def test_every_case_is_here_or_elsewhere() -> None:
    here = {case_id(name) for name in globals() if name.startswith("test_tc_")}
    assert here == set(all_titles()) - set(titles()) - ELSEWHERE


OTHERS: dict[str, dict[str, Any]] = {
    "DataTransfer": {"vendorId": "example", "messageId": "hello", "data": "x"},
    "ExtendedTriggerMessage": {"requestedMessage": "Heartbeat"},
    "CertificateSigned": {"certificateChain": "-----BEGIN CERTIFICATE-----"},
}


@pytest.mark.parametrize("action", OTHERS)
def test_a_call_of_no_case_is_answered_as_well(site: Site, operator: Operator, action: str) -> None:
    """Those that no certification case sends, or that Levity sends by itself there."""
    sends_and_gets(site, operator, action[:16], action, OTHERS[action], ACCEPTED)


def test_each_of_the_26_calls_is_sent_by_both_operators() -> None:
    here = Path(__file__).read_text()
    assert set(ACTIONS) == set(CALLS)
    assert len(CALLS) == 26
    assert [action for action in CALLS if f'"{action}"' not in here] == []


def test_tc_061_csms__clear_cache(site: Site, operator: Operator) -> None:
    sends_and_gets(site, operator, "061", "ClearCache", {}, ACCEPTED)


def test_tc_019_1_csms__all_keys(site: Site, operator: Operator) -> None:
    keys = [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}]
    answer = {"configuration_key": keys, "unknown_key": []}
    said = {"configurationKey": keys, "unknownKey": []}
    case = sends_and_gets(site, operator, "019-1", "GetConfiguration", {}, answer, said)
    assert site.books.rows(Command, "result", **case.mine) == [(said,)]


def test_tc_019_2_csms__one_key(site: Site, operator: Operator) -> None:
    asked = {"key": ["SupportedFeatureProfiles"]}
    keys = [{"key": "SupportedFeatureProfiles", "readonly": True, "value": "Core"}]
    answer = {"configuration_key": keys, "unknown_key": []}
    said = {"configurationKey": keys, "unknownKey": []}
    sends_and_gets(site, operator, "019-2", "GetConfiguration", asked, answer, said)


CHANGE = {"key": "MeterValueSampleInterval", "value": "60"}


def test_tc_021_csms__change_configuration(site: Site, operator: Operator) -> None:
    sends_and_gets(site, operator, "021", "ChangeConfiguration", CHANGE, ACCEPTED)


def test_tc_040_1_csms__unknown_key(site: Site, operator: Operator) -> None:
    change = {"key": "NoSuchKey", "value": "1"}
    sends_and_gets(
        site, operator, "040-1", "ChangeConfiguration", change, {"status": "NotSupported"}
    )


def test_tc_040_2_csms__bad_value(site: Site, operator: Operator) -> None:
    change = {"key": "MeterValueSampleInterval", "value": "-1"}
    sends_and_gets(site, operator, "040-2", "ChangeConfiguration", change, {"status": "Rejected"})


def test_tc_042_1_csms__no_local_list(site: Site, operator: Operator) -> None:
    answer, said = {"list_version": -1}, {"listVersion": -1}
    case = sends_and_gets(site, operator, "042-1", "GetLocalListVersion", {}, answer, said)
    assert case.local_list() == [(-1, "-1", False)]


def test_tc_042_2_csms__empty_local_list(site: Site, operator: Operator) -> None:
    answer, said = {"list_version": 0}, {"listVersion": 0}
    case = sends_and_gets(site, operator, "042-2", "GetLocalListVersion", {}, answer, said)
    assert case.local_list() == [(0, "0", False)]


def local_list(version: int, kind: str) -> dict[str, Any]:
    entry = {"idTag": "TC043", "idTagInfo": {"status": "Accepted", "expiryDate": LATER}}
    return {
        "listVersion": version,
        "localAuthorizationList": [entry, {"idTag": "TC043B", "idTagInfo": {"status": "Blocked"}}],
        "updateType": kind,
    }


def sends_list(site: Site, operator: Operator, number: str, answer: str) -> Operated:
    """Whose tags are shown nowhere but in the charger."""
    payload = local_list(1, "Full")
    shown = {**payload, "localAuthorizationList": "2 entries, not shown"}
    said = {"status": answer}
    return sends_and_gets(site, operator, number, "SendLocalList", payload, said, said, shown=shown)


def test_tc_043_1_csms__local_list_not_supported(site: Site, operator: Operator) -> None:
    case = sends_list(site, operator, "043-1", "NotSupported")
    assert case.local_list() == [(None, "NotSupported", False)]


def test_tc_043_3_csms__local_list_failed(site: Site, operator: Operator) -> None:
    case = sends_list(site, operator, "043-3", "Failed")
    assert case.local_list() == [(None, "Failed", False)]


def test_tc_043_4_csms__local_list_full(site: Site, operator: Operator) -> None:
    case = sends_list(site, operator, "043-4", "Accepted")
    assert case.local_list() == [(1, "Accepted", False)]


def test_tc_043_5_csms__local_list_differential(site: Site, operator: Operator) -> None:
    case = Operated(site, operator, "043-5")

    async def script(charger: Commanded) -> Any:
        charger.answers["GetLocalListVersion"] = {"list_version": 4}
        await boot(charger)
        _, version = await operator.sends(charger, "GetLocalListVersion")
        await operator.sends(
            charger, "SendLocalList", local_list(version["listVersion"] + 1, "Differential")
        )
        charger.answers["GetLocalListVersion"] = {"list_version": 5}
        return (await operator.sends(charger, "GetLocalListVersion"))[1]

    assert case.run(script) == {"listVersion": 5}
    assert [(action, state) for action, _, state, _ in case.commands()] == [
        ("GetLocalListVersion", "answered"),
        ("SendLocalList", "answered"),
        ("GetLocalListVersion", "answered"),
    ]
    assert case.commands()[1][1]["listVersion"] == 5
    assert case.local_list() == [(5, "5", False)]
    assert case.is_clean()


def remote(tag: str, **more: Any) -> dict[str, Any]:
    return {"connectorId": 1, "idTag": tag, **more}


def test_tc_010_csms__plugged_in_first(site: Site, operator: Operator) -> None:
    case = Operated(site, operator, "010")
    case.tag("TC010")

    async def script(charger: Commanded) -> Any:
        await boot(charger)
        await status(charger, "Preparing")
        ended = await operator.sends(charger, "RemoteStartTransaction", remote("TC010"))
        infos = [await authorize(charger, "TC010")]
        infos.append((await start(charger, "TC010", ago(0)))[1])
        await status(charger, "Charging")
        return ended, infos, charger.asked

    ended, infos, asked = case.run(script)
    assert (ended, infos) == ((0, ACCEPTED), [ACCEPTED] * 2)
    assert asked == [("RemoteStartTransaction", {"connector_id": 1, "id_tag": "TC010"})]
    session(case, "TC010")
    assert case.commands() == [("RemoteStartTransaction", remote("TC010"), "answered", "Accepted")]
    assert case.statuses() == {0: "Available", 1: "Charging"}
    assert case.is_clean()


def test_tc_011_1_csms__remote_start_first(site: Site, operator: Operator) -> None:
    case = Operated(site, operator, "011-1")
    case.tag("TC0111")

    async def script(charger: Commanded) -> Any:
        await boot(charger)
        ended = await operator.sends(charger, "RemoteStartTransaction", remote("TC0111"))
        await status(charger, "Preparing")
        _, info = await start(charger, "TC0111", ago(0))
        await status(charger, "Charging")
        return ended, info

    assert case.run(script) == ((0, ACCEPTED), ACCEPTED)
    session(case, "TC0111")
    assert case.statuses() == {0: "Available", 1: "Charging"}
    assert case.is_clean()


def test_tc_011_2_csms__nobody_plugs_in(site: Site, operator: Operator) -> None:
    """D-32: no phantom session."""
    case = Operated(site, operator, "011-2")
    case.tag("TC0112")

    async def script(charger: Commanded) -> Any:
        await boot(charger)
        ended = await operator.sends(charger, "RemoteStartTransaction", remote("TC0112"))
        await status(charger, "Preparing")
        # ConnectionTimeOut passes.
        await status(charger, "Available")
        return ended

    assert case.run(script) == (0, ACCEPTED)
    assert case.transactions("id") == []
    assert case.statuses() == {0: "Available", 1: "Available"}
    assert case.is_clean()


def test_tc_012_csms__remote_stop(site: Site, operator: Operator) -> None:
    case = Operated(site, operator, "012")
    case.tag("TC012")

    async def script(charger: Commanded) -> Any:
        await boot(charger)
        number, _ = await start(charger, "TC012", ago(2))
        await status(charger, "Charging")
        ended = await operator.sends(charger, "RemoteStopTransaction", {"transactionId": number})
        await stop(charger, number, ago(0), 2000, reason="Remote")
        await status(charger, "Finishing")
        await status(charger, "Available")
        return number, ended, charger.asked

    number, ended, asked = case.run(script)
    assert (ended, asked) == (
        (0, ACCEPTED),
        [("RemoteStopTransaction", {"transaction_id": number})],
    )
    session(case, "TC012", "Remote", "stopped")
    assert case.transactions("id", "energy") == [(number, Decimal(1000))]
    assert case.is_clean()


def test_tc_026_csms__remote_start_rejected(site: Site, operator: Operator) -> None:
    case = sends_and_gets(
        site,
        operator,
        "026",
        "RemoteStartTransaction",
        remote("TC026"),
        {"status": "Rejected"},
    )
    assert case.transactions("id") == []


def test_tc_028_csms__remote_stop_rejected(site: Site, operator: Operator) -> None:
    case = Operated(site, operator, "028")
    case.tag("TC028")

    async def script(charger: Commanded) -> Any:
        charger.answers["RemoteStopTransaction"] = {"status": "Rejected"}
        await boot(charger)
        number, _ = await start(charger, "TC028", ago(2))
        await status(charger, "Charging")
        return await operator.sends(charger, "RemoteStopTransaction", {"transactionId": number + 1})

    assert case.run(script) == (1, {"status": "Rejected"})
    session(case, "TC028")
    assert case.is_clean()


def resets(site: Site, operator: Operator, number: str, kind: str) -> None:
    """A session is running; it is ended, and the charger comes back."""
    case = Operated(site, operator, number)
    tag = f"TC{number}"
    case.tag(tag)

    async def script(charger: Commanded) -> Any:
        await boot(charger)
        transaction, _ = await start(charger, tag, ago(2))
        await status(charger, "Charging")
        ended = await operator.sends(charger, "Reset", {"type": kind})
        await stop(charger, transaction, ago(0), 1500, reason=f"{kind}Reset")
        return ended

    assert case.run(script) == (0, ACCEPTED)

    async def back(charger: Commanded) -> Any:
        return await boot(charger)

    assert case.run(back) == "Accepted"
    session(case, tag, f"{kind}Reset", "stopped")
    assert case.commands() == [("Reset", {"type": kind}, "answered", "Accepted")]
    assert case.statuses() == {0: "Available", 1: "Available"}
    assert case.is_clean()


def test_tc_013_csms__hard_reset(site: Site, operator: Operator) -> None:
    resets(site, operator, "013", "Hard")


def test_tc_014_csms__soft_reset(site: Site, operator: Operator) -> None:
    resets(site, operator, "014", "Soft")


UNLOCK = {"connectorId": 1}


def test_tc_017_1_csms__unlock(site: Site, operator: Operator) -> None:
    answer = {"status": "Unlocked"}
    sends_and_gets(site, operator, "017-1", "UnlockConnector", UNLOCK, answer)


def test_tc_017_2_csms__unlock_a_fixed_cable(site: Site, operator: Operator) -> None:
    answer = {"status": "NotSupported"}
    sends_and_gets(site, operator, "017-2", "UnlockConnector", UNLOCK, answer)


def test_tc_018_1_csms__unlock_while_charging(site: Site, operator: Operator) -> None:
    case = Operated(site, operator, "018-1")
    case.tag("TC0181")

    async def script(charger: Commanded) -> Any:
        await boot(charger)
        number, _ = await start(charger, "TC0181", ago(2))
        await status(charger, "Charging")
        ended = await operator.sends(charger, "UnlockConnector", UNLOCK)
        await stop(charger, number, ago(0), 1500, reason="UnlockCommand")
        await status(charger, "Finishing")
        await status(charger, "Available")
        return ended

    assert case.run(script) == (0, {"status": "Unlocked"})
    session(case, "TC0181", "UnlockCommand", "stopped")
    assert case.is_clean()


def test_tc_030_csms__unlock_fails(site: Site, operator: Operator) -> None:
    answer = {"status": "UnlockFailed"}
    sends_and_gets(site, operator, "030", "UnlockConnector", UNLOCK, answer)


def test_tc_031_csms__unlock_an_unknown_connector(site: Site, operator: Operator) -> None:
    answer = {"status": "NotSupported"}
    sends_and_gets(site, operator, "031", "UnlockConnector", {"connectorId": 7}, answer)


def updates(site: Site, operator: Operator, number: str, *said: str) -> None:
    """The charger tells how it goes; the last word stands on its page."""
    case = Operated(site, operator, number)
    payload = {"location": f"{WHERE}firmware.bin", "retrieveDate": ago(0)}

    async def script(charger: Commanded) -> Any:
        await boot(charger)
        ended = await operator.sends(charger, "UpdateFirmware", payload)
        for word in said:
            await charger.call(call.FirmwareStatusNotification(word))
        return ended

    assert case.run(script) == (0, {})
    assert case.commands() == [("UpdateFirmware", payload, "answered", "")]
    assert case.now("firmware_status") == {"firmware_status": said[-1]}
    state = "done" if said[-1] == "Installed" else "failed"
    assert case.kept(FileJob, "kind", "state") == [("firmware", state)]
    assert case.messages().count("FirmwareStatusNotification") == len(said)
    assert case.is_clean()


def test_tc_044_1_csms__firmware_update(site: Site, operator: Operator) -> None:
    words = ("Downloading", "Downloaded", "Installing", "Installed")
    updates(site, operator, "044-1", *words)


def test_tc_044_2_csms__download_failed(site: Site, operator: Operator) -> None:
    updates(site, operator, "044-2", "Downloading", "DownloadFailed")


def test_tc_044_3_csms__installation_failed(site: Site, operator: Operator) -> None:
    words = ("Downloading", "Downloaded", "Installing", "InstallationFailed")
    updates(site, operator, "044-3", *words)


def diagnoses(site: Site, operator: Operator, number: str, *said: str) -> None:
    """The same for an upload of its log."""
    case = Operated(site, operator, number)
    payload = {"location": f"{WHERE}upload"}

    async def script(charger: Commanded) -> Any:
        await boot(charger)
        ended = await operator.sends(charger, "GetDiagnostics", payload)
        for word in said:
            await charger.call(call.DiagnosticsStatusNotification(word))
        return ended

    assert case.run(script) == (0, {"fileName": "diagnostics.zip"})
    assert case.commands() == [("GetDiagnostics", payload, "answered", "")]
    assert case.now("diagnostics_status") == {"diagnostics_status": said[-1]}
    state = "done" if said[-1] == "Uploaded" else "failed"
    assert case.kept(FileJob, "kind", "state") == [("diagnostics", state)]
    assert case.is_clean()


def test_tc_045_1_csms__diagnostics(site: Site, operator: Operator) -> None:
    diagnoses(site, operator, "045-1", "Uploading", "Uploaded")


def test_tc_045_2_csms__upload_failed(site: Site, operator: Operator) -> None:
    diagnoses(site, operator, "045-2", "Uploading", "UploadFailed")


def reservation(tag: str, connector: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "connectorId": connector,
        "expiryDate": LATER,
        "idTag": tag,
        "reservationId": 46,
        **more,
    }


def reserved_and_used(
    site: Site, operator: Operator, number: str, connector: int, owner: str, user: str
) -> None:
    """A connector (0: any) is reserved for one tag, and a tag that may use it starts there."""
    case = Operated(site, operator, number)
    more = {} if user == owner else {"parentIdTag": "TC053G"}
    if more:
        case.tag("TC053G")
    for tag in {owner, user}:
        case.tag(tag)
    payload = reservation(owner, connector, **more)

    async def script(charger: Commanded) -> Any:
        await boot(charger)
        ended = await operator.sends(charger, "ReserveNow", payload)
        await status(charger, "Reserved", connector)
        info = await authorize(charger, user)
        said = await charger.call(call.StartTransaction(1, user, 1000, ago(0), reservation_id=46))
        await status(charger, "Charging")
        return ended, info["status"], said.id_tag_info["status"]

    assert case.run(script) == ((0, ACCEPTED), "Accepted", "Accepted")
    session(case, user)
    assert case.transactions("reservation_id") == [(46,)]
    assert case.reservations() == [(46, connector, "used", "Accepted")]
    assert case.kept(Reservation, "transaction_id") == case.transactions("id")
    assert case.commands() == [("ReserveNow", payload, "answered", "Accepted")]
    assert case.statuses()[1] == "Charging"
    assert case.is_clean()


def test_tc_046_csms__reserved_and_used(site: Site, operator: Operator) -> None:
    reserved_and_used(site, operator, "046", 1, "TC046", "TC046")


def test_tc_049_csms__any_connector_reserved(site: Site, operator: Operator) -> None:
    reserved_and_used(site, operator, "049", 0, "TC049", "TC049")


def test_tc_053_csms__used_by_the_group(site: Site, operator: Operator) -> None:
    reserved_and_used(site, operator, "053", 1, "TC053A", "TC053B")


def test_tc_047_csms__a_reservation_expires(site: Site, operator: Operator) -> None:
    case = Operated(site, operator, "047")

    async def script(charger: Commanded) -> Any:
        await boot(charger)
        ended = await operator.sends(charger, "ReserveNow", reservation("TC047"))
        await status(charger, "Reserved")
        # expiryDate passes.
        await status(charger, "Available")
        return ended

    assert case.run(script) == (0, ACCEPTED)
    assert case.transactions("id") == []
    # (Its time is far away: that it expires by time is tested in ocpp/decisions.)
    assert case.reservations() == [(46, 1, "active", "Accepted")]
    assert case.statuses() == {0: "Available", 1: "Available"}
    assert case.is_clean()


def test_tc_048_1_csms__reserve_a_faulted_one(site: Site, operator: Operator) -> None:
    payload = reservation("TC048")
    case = sends_and_gets(site, operator, "048-1", "ReserveNow", payload, {"status": "Faulted"})
    assert case.reservations() == [(46, 1, "refused", "Faulted")]


def test_tc_048_2_csms__reserve_an_occupied_one(site: Site, operator: Operator) -> None:
    payload = reservation("TC048")
    case = sends_and_gets(site, operator, "048-2", "ReserveNow", payload, {"status": "Occupied"})
    assert case.reservations() == [(46, 1, "refused", "Occupied")]


def test_tc_048_3_csms__reserve_an_unavailable_one(site: Site, operator: Operator) -> None:
    case = Operated(site, operator, "048-3")
    change = {"connectorId": 1, "type": "Inoperative"}

    async def script(charger: Commanded) -> Any:
        charger.answers["ReserveNow"] = {"status": "Unavailable"}
        await boot(charger)
        changed = await operator.sends(charger, "ChangeAvailability", change)
        await status(charger, "Unavailable")
        return changed, await operator.sends(charger, "ReserveNow", reservation("TC048"))

    assert case.run(script) == ((0, ACCEPTED), (1, {"status": "Unavailable"}))
    assert case.commands() == [
        ("ChangeAvailability", change, "answered", "Accepted"),
        ("ReserveNow", reservation("TC048"), "answered", "Unavailable"),
    ]
    assert case.reservations() == [(46, 1, "refused", "Unavailable")]
    assert case.statuses() == {0: "Available", 1: "Unavailable"}
    assert case.is_clean()


def test_tc_048_4_csms__reservation_rejected(site: Site, operator: Operator) -> None:
    payload = reservation("TC048")
    case = sends_and_gets(site, operator, "048-4", "ReserveNow", payload, {"status": "Rejected"})
    assert case.reservations() == [(46, 1, "refused", "Rejected")]


def cancels(site: Site, operator: Operator, number: str, answer: str) -> None:
    case = Operated(site, operator, number)

    async def script(charger: Commanded) -> Any:
        charger.answers["CancelReservation"] = {"status": answer}
        await boot(charger)
        await operator.sends(charger, "ReserveNow", reservation(f"TC{number}"))
        await status(charger, "Reserved")
        which = {"reservationId": 46 if answer == "Accepted" else 47}
        ended = await operator.sends(charger, "CancelReservation", which)
        if answer == "Accepted":
            await status(charger, "Available")
        return ended

    good = answer == "Accepted"
    assert case.run(script) == (0 if good else 1, {"status": answer})
    assert case.asked() == [("ReserveNow", ""), ("CancelReservation", "")]
    left = "cancelled" if good else "active"
    assert case.reservations() == [(46, 1, left, "Accepted")]
    assert case.statuses()[1] == ("Available" if good else "Reserved")
    assert case.is_clean()


def test_tc_051_csms__reservation_cancelled(site: Site, operator: Operator) -> None:
    cancels(site, operator, "051", "Accepted")


def test_tc_052_csms__cancellation_rejected(site: Site, operator: Operator) -> None:
    cancels(site, operator, "052", "Rejected")


def test_tc_054_csms__trigger_message(site: Site, operator: Operator) -> None:
    case = Operated(site, operator, "054")

    async def script(charger: Commanded) -> Any:
        await boot(charger)
        ends = []
        for name in ("MeterValues", "Heartbeat", "StatusNotification", "BootNotification"):
            payload = {"requestedMessage": name}
            if name in ("MeterValues", "StatusNotification"):
                payload["connectorId"] = 1  # type: ignore[assignment]
            ends.append(await operator.sends(charger, "TriggerMessage", payload))
            if name == "MeterValues":
                await charger.call(
                    call.MeterValues(
                        1, [{"timestamp": ago(0), "sampledValue": [{"value": "1000"}]}]
                    )
                )
            elif name == "Heartbeat":
                await charger.call(call.Heartbeat())
            elif name == "StatusNotification":
                await status(charger, "Available")
            else:
                await charger.call(call.BootNotification("Model S1", "Independent"))
        for name in ("DiagnosticsStatusNotification", "FirmwareStatusNotification"):
            ends.append(await operator.sends(charger, "TriggerMessage", {"requestedMessage": name}))
            await charger.call(getattr(call, name)("Idle"))
        return ends

    assert case.run(script) == [(0, ACCEPTED)] * 6
    heard = [name for name in case.messages() if name != "StatusNotification"]
    assert heard == [
        "BootNotification",
        *("TriggerMessage", "MeterValues", "TriggerMessage", "Heartbeat", "TriggerMessage"),
        *("TriggerMessage", "BootNotification"),
        *("TriggerMessage", "DiagnosticsStatusNotification"),
        *("TriggerMessage", "FirmwareStatusNotification"),
    ]
    assert case.now("firmware_status", "diagnostics_status") == {
        "firmware_status": "Idle",
        "diagnostics_status": "Idle",
    }
    assert case.is_clean()


def test_tc_055_csms__trigger_rejected(site: Site, operator: Operator) -> None:
    payload = {"requestedMessage": "MeterValues", "connectorId": 7}
    sends_and_gets(site, operator, "055", "TriggerMessage", payload, {"status": "Rejected"})


def profile(purpose: str, **more: Any) -> dict[str, Any]:
    return {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Relative" if purpose == "TxProfile" else "Absolute",
        "chargingSchedule": SCHEDULE,
        **more,
    }


def test_tc_056_csms__default_profile(site: Site, operator: Operator) -> None:
    payload = {"connectorId": 1, "csChargingProfiles": profile("TxDefaultProfile")}
    case = sends_and_gets(site, operator, "056", "SetChargingProfile", payload, ACCEPTED)
    assert case.profiles() == [(1, 1, "TxDefaultProfile", None, "installed")]


def test_tc_057_csms__profile_of_a_transaction(site: Site, operator: Operator) -> None:
    case = Operated(site, operator, "057")
    case.tag("TC057")

    async def script(charger: Commanded) -> Any:
        await boot(charger)
        number, _ = await start(charger, "TC057", ago(1))
        await status(charger, "Charging")
        mine = profile("TxProfile", transactionId=number)
        payload = {"connectorId": 1, "csChargingProfiles": mine}
        ended = await operator.sends(charger, "SetChargingProfile", payload)
        await measure(charger, number, ago(0), 1100)
        return ended, payload

    ended, payload = case.run(script)
    assert ended == (0, ACCEPTED)
    assert case.commands() == [("SetChargingProfile", payload, "answered", "Accepted")]
    session(case, "TC057")
    number = payload["csChargingProfiles"]["transactionId"]
    assert case.profiles() == [(1, 1, "TxProfile", number, "installed")]
    assert case.transactions("energy") == [(Decimal(100),)]
    assert case.is_clean()


def test_tc_059_csms__remote_start_with_a_profile(site: Site, operator: Operator) -> None:
    case = Operated(site, operator, "059")
    case.tag("TC059")
    payload = remote("TC059", chargingProfile=profile("TxProfile"))

    async def script(charger: Commanded) -> Any:
        await boot(charger)
        await status(charger, "Preparing")
        ended = await operator.sends(charger, "RemoteStartTransaction", payload)
        await start(charger, "TC059", ago(0))
        await status(charger, "Charging")
        return ended, charger.asked[0][1]["charging_profile"]["charging_profile_purpose"]

    assert case.run(script) == ((0, ACCEPTED), "TxProfile")
    assert case.commands() == [("RemoteStartTransaction", payload, "answered", "Accepted")]
    session(case, "TC059")
    assert case.profiles() == [(1, 1, "TxProfile", None, "installed")]
    assert case.is_clean()


def test_tc_066_csms__composite_schedule(site: Site, operator: Operator) -> None:
    at = ago(0)
    answer = {
        "status": "Accepted",
        "connector_id": 1,
        "schedule_start": at,
        "charging_schedule": SCHEDULE,
    }
    said = {
        "status": "Accepted",
        "connectorId": 1,
        "scheduleStart": at,
        "chargingSchedule": SCHEDULE,
    }
    asked = {"connectorId": 1, "duration": 300}
    case = sends_and_gets(site, operator, "066", "GetCompositeSchedule", asked, answer, said)
    assert site.books.rows(Command, "result", **case.mine) == [(said,)]


def test_tc_067_csms__clear_charging_profile(site: Site, operator: Operator) -> None:
    case = Operated(site, operator, "067")
    set_it = {"connectorId": 1, "csChargingProfiles": profile("TxDefaultProfile")}
    clear = {"id": 1}

    async def script(charger: Commanded) -> Any:
        await boot(charger)
        ends = [await operator.sends(charger, "SetChargingProfile", set_it)]
        ends.append(await operator.sends(charger, "ClearChargingProfile", clear))
        return ends

    assert case.run(script) == [(0, ACCEPTED)] * 2
    assert case.commands() == [
        ("SetChargingProfile", set_it, "answered", "Accepted"),
        ("ClearChargingProfile", clear, "answered", "Accepted"),
    ]
    assert case.profiles() == [(1, 1, "TxDefaultProfile", None, "cleared")]
    assert case.is_clean()


PEM = (
    "-----BEGIN CERTIFICATE-----\n"
    + base64.b64encode(b"not checked by us").decode()
    + "\n-----END CERTIFICATE-----\n"
)
HASH = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "aa",
    "issuerKeyHash": "bb",
    "serialNumber": "1",
}


def installs(site: Site, operator: Operator, number: str, kind: str, *, delete: bool) -> None:
    case = Operated(site, operator, number)
    install = {"certificateType": kind, "certificate": PEM}

    async def script(charger: Commanded) -> Any:
        charger.answers["GetInstalledCertificateIds"] = {
            "status": "Accepted",
            "certificate_hash_data": [HASH],
        }
        await boot(charger)
        ends = [await operator.sends(charger, "InstallCertificate", install)]
        ends.append(
            await operator.sends(charger, "GetInstalledCertificateIds", {"certificateType": kind})
        )
        if delete:
            which = {"certificateHashData": HASH}
            ends.append(await operator.sends(charger, "DeleteCertificate", which))
        return ends

    listed = {"status": "Accepted", "certificateHashData": [HASH]}
    expected = [(0, ACCEPTED), (0, listed), *([(0, ACCEPTED)] if delete else [])]
    assert case.run(script) == expected
    actions = ["InstallCertificate", "GetInstalledCertificateIds"]
    actions += ["DeleteCertificate"] if delete else []
    assert [row[0::2] for row in case.commands()] == [(name, "answered") for name in actions]
    assert case.asked() == [(name, "") for name in actions]
    columns = ("type", "state", "issuer_name_hash", "issuer_key_hash", "serial_number")
    state = "deleted" if delete else "installed"
    assert case.kept(InstalledCertificate, *columns) == [(kind, state, "aa", "bb", "1")]
    assert case.is_clean()


def test_tc_075_1_csms__manufacturer_root(site: Site, operator: Operator) -> None:
    installs(site, operator, "075-1", "ManufacturerRootCertificate", delete=False)


def test_tc_075_2_csms__central_system_root(site: Site, operator: Operator) -> None:
    installs(site, operator, "075-2", "CentralSystemRootCertificate", delete=False)


def test_tc_076_csms__delete_a_certificate(site: Site, operator: Operator) -> None:
    installs(site, operator, "076", "CentralSystemRootCertificate", delete=True)


def test_tc_078_csms__invalid_central_system_certificate(site: Site, operator: Operator) -> None:
    case = Operated(site, operator, "078")
    payload = {"certificateType": "CentralSystemRootCertificate", "certificate": PEM}

    async def script(charger: Commanded) -> Any:
        charger.answers["InstallCertificate"] = {"status": "Rejected"}
        await boot(charger)
        ended = await operator.sends(charger, "InstallCertificate", payload)
        await charger.call(
            call.SecurityEventNotification(
                "InvalidCentralSystemCertificate", ago(0), "issuer unknown"
            )
        )
        return ended

    assert case.run(script) == (1, {"status": "Rejected"})
    assert site.books.rows(SecurityEvent, "type", **case.mine) == [
        ("InvalidCentralSystemCertificate",)
    ]
    refused = ("CentralSystemRootCertificate", "refused", "Rejected")
    assert case.kept(InstalledCertificate, "type", "state", "said") == [refused]
    assert case.is_clean()


def test_tc_079_csms__security_log(site: Site, operator: Operator) -> None:
    case = Operated(site, operator, "079")
    payload = {
        "logType": "SecurityLog",
        "requestId": 79,
        "log": {"remoteLocation": f"{WHERE}upload"},
    }

    async def script(charger: Commanded) -> Any:
        await boot(charger)
        ended = await operator.sends(charger, "GetLog", payload)
        for word in ("Uploading", "Uploaded"):
            await charger.call(call.LogStatusNotification(word, 79))
        return ended

    assert case.run(script) == (0, {"status": "Accepted", "filename": "security.log"})
    assert case.commands() == [("GetLog", payload, "answered", "Accepted")]
    assert case.now("diagnostics_status") == {"diagnostics_status": "Uploaded"}
    assert case.messages().count("LogStatusNotification") == 2
    assert case.kept(FileJob, "kind", "state", "request_id") == [("log", "done", 79)]
    assert case.is_clean()


def signed_update(
    site: Site, operator: Operator, number: str, words: tuple[str, ...], event: str = ""
) -> None:
    case = Operated(site, operator, number)
    payload = {
        "requestId": 80,
        "firmware": {
            "location": f"{WHERE}firmware.bin",
            "retrieveDateTime": ago(0),
            "signingCertificate": PEM,
            "signature": base64.b64encode(b"signature").decode(),
        },
    }

    async def script(charger: Commanded) -> Any:
        await boot(charger)
        ended = await operator.sends(charger, "SignedUpdateFirmware", payload)
        for word in words:
            await charger.call(call.SignedFirmwareStatusNotification(word, 80))
        if event:
            await charger.call(call.SecurityEventNotification(event, ago(0), "of its kind"))
        return ended

    assert case.run(script) == (0, ACCEPTED)
    assert case.commands() == [("SignedUpdateFirmware", payload, "answered", "Accepted")]
    assert case.now("firmware_status") == {"firmware_status": words[-1]}
    state = "failed" if event else "done"
    assert case.kept(FileJob, "kind", "state", "request_id") == [("signed_firmware", state, 80)]
    events = site.books.rows(SecurityEvent, "type", **case.mine)
    assert events == ([(event,)] if event else [])
    assert case.is_clean()


def test_tc_080_csms__signed_update(site: Site, operator: Operator) -> None:
    words = ("Downloading", "Downloaded", "SignatureVerified", "Installing", "Installed")
    signed_update(site, operator, "080", words)


def test_tc_081_csms__invalid_signature(site: Site, operator: Operator) -> None:
    words = ("Downloading", "Downloaded", "InvalidSignature")
    signed_update(site, operator, "081", words, "InvalidFirmwareSignature")
