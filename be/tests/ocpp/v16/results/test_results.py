"""What the answers to our Calls mean: one function an action, effects and nothing else."""

from typing import Any

import pytest

from levity.ocpp.effects import (
    CertificateHash,
    CertificateInstalled,
    CertificateRefused,
    ChargingProfileInstalled,
    ChargingProfilesCleared,
    ConfigurationChanged,
    ConfigurationRead,
    Effect,
    KeyAccepted,
    KeyRefused,
    LocalListAnswered,
    LocalListVersion,
    ProfileAccepted,
    ReportedKey,
    ReservationAnswered,
    ReservationCancelled,
    RootCertificateDeleted,
    RootCertificatesReported,
    UpdateChargePoint,
)
from levity.ocpp.request import Result
from levity.ocpp.rules.holds import Holds, Reserved
from levity.ocpp.v16.calls import ACTIONS
from levity.ocpp.v16.routes import RESULTS
from levity.ocpp.wire.masking import MASK
from tests.ocpp.charger import NOW, at, wire
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
    found = meaning("ChangeConfiguration", asked, **said)
    assert tuple(item for item in found if not isinstance(item, ConfigurationChanged)) == effects


@pytest.mark.parametrize(
    ("asked", "said", "effects"),
    [
        (WAIT, {"status": "Accepted"}, [("90", "Accepted", True, False)]),
        (WAIT, {"status": "RebootRequired"}, [("90", "RebootRequired", True, True)]),
        (WAIT, {"status": "Rejected"}, [("90", "Rejected", False, False)]),
        (WAIT, {"status": "NotSupported"}, [("90", "NotSupported", False, False)]),
        (WAIT, {"error_code": "InternalError"}, [("90", "InternalError", False, False)]),
        (KEY, {"status": "Accepted"}, [(MASK, "Accepted", True, False)]),
        (WAIT, UNREADABLE, []),
        (WAIT, {}, []),
        ({}, {"status": "Accepted"}, []),
    ],
)
def test_what_is_configured_after_a_change(
    asked: dict[str, Any], said: dict[str, Any], effects: list[Any]
) -> None:
    found = meaning("ChangeConfiguration", asked, **said)
    assert [
        (item.value, item.said, item.is_taken, item.after_reboot)
        for item in found
        if isinstance(item, ConfigurationChanged)
    ] == effects


def test_a_configuration_is_read_as_it_was_sent() -> None:
    """With what is of use of it: how long the charger waits for the car."""
    listed = [
        7,
        {"key": "X"},
        {**WAIT, "readonly": False},
        {"key": "A", "value": 5, "readonly": "1"},
    ]
    assert meaning(
        "GetConfiguration", {}, payload={"configurationKey": listed, "unknownKey": ["Y", 1, "x"]}
    ) == (
        ConfigurationRead(
            (
                ReportedKey("X", None),
                ReportedKey("ConnectionTimeOut", "90", readonly=False),
                ReportedKey(
                    "A",
                    "5",
                    readonly=True,
                    note="the value was not sent as text; read-only was not sent as true or false",
                ),
            ),
            # It has just told X.
            ("Y",),
            is_all=True,
        ),
        *WAITS,
    )


def test_a_key_that_comes_twice_counts_once() -> None:
    """In other case, too: to OCPP that is one key."""
    listed = [{"key": "Rate", "value": "1"}, {"key": "RATE", "value": "2"}]
    [read] = meaning("GetConfiguration", {"key": ["Rate"]}, payload={"configurationKey": listed})
    note = "sent twice, the second time with the value “2”"
    assert read == ConfigurationRead((ReportedKey("Rate", "1", note=note),), is_all=False)


def test_secrets_of_a_configuration_are_masked_before_anybody_sees_them() -> None:
    listed = [
        {"key": "AuthorizationKey", "value": "00112233445566778899"},
        {"key": "WifiPassword", "value": "hush"},
        {"key": "LogServer", "value": "ftp://me:hush@example.com/"},
    ]
    [read] = meaning("GetConfiguration", {}, payload={"configurationKey": listed})
    assert isinstance(read, ConfigurationRead)
    assert [item.value for item in read.keys] == [MASK, MASK, f"ftp://{MASK}@example.com/"]


def test_a_configuration_without_end_is_bounded() -> None:
    listed = [{"key": f"K{number}", "value": "v" * 5000} for number in range(99)]
    [read] = meaning("GetConfiguration", {}, payload={"configurationKey": listed})
    assert isinstance(read, ConfigurationRead)
    assert len(read.keys[0].value or "") == 4000
    assert read.keys[0].note == "cut: it had 5000 characters"
    many = [{"key": f"K{number}"} for number in range(1500)]
    [read] = meaning("GetConfiguration", {}, payload={"configurationKey": many})
    assert isinstance(read, ConfigurationRead)
    assert len(read.keys) == 1000


@pytest.mark.parametrize(
    ("payload", "effects"),
    [
        ({"configurationKey": {}}, (ConfigurationRead((), is_all=True),)),
        # Nothing that could be looked through for secrets.
        ({"configurationKey": [{"key": "K", "value": "v" * 600_000}]}, ()),
        ({"status": "Accepted"}, ()),
        (None, ()),
        ([], ()),
    ],
)
def test_what_tells_no_keys(payload: Any, effects: tuple[Effect, ...]) -> None:
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


BOOKED = {
    "connectorId": 1,
    "expiryDate": wire(3600),
    "idTag": "TAG",
    "reservationId": 5,
    "parentIdTag": "G",
}


def answered(said: str, *, is_accepted: bool = False) -> ReservationAnswered:
    return ReservationAnswered(7, 5, 1, "TAG", "G", at(3600), is_accepted, said)


def test_reserve_now() -> None:
    kept = Holds().reserving(Reserved(5, 1, "TAG", "G", NOW, at(3600)))
    assert meaning("ReserveNow", BOOKED, status="Accepted") == (
        answered("Accepted", is_accepted=True),
        UpdateChargePoint({"holds": kept.text()}),
    )
    assert meaning("ReserveNow", BOOKED, status="Occupied") == (answered("Occupied"),)
    assert meaning("ReserveNow", BOOKED, error_code="NotSupported") == (answered("NotSupported"),)
    assert meaning("ReserveNow", {**BOOKED, "reservationId": "5"}, status="Accepted") == ()


def test_cancel_reservation() -> None:
    cancelled = meaning("CancelReservation", {"reservationId": 5}, status="Rejected")
    assert cancelled == (ReservationCancelled(5, is_accepted=False, said="Rejected"),)


def test_local_lists() -> None:
    asked = {"listVersion": 3, "updateType": "Full", "localAuthorizationList": "9 entries"}
    assert meaning("SendLocalList", asked, status="Accepted") == (
        LocalListAnswered(7, 3, "Accepted", is_accepted=True),
    )
    assert meaning("SendLocalList", asked, status="VersionMismatch") == (
        LocalListAnswered(7, 3, "VersionMismatch", is_accepted=False, is_mismatch=True),
    )
    assert meaning("SendLocalList", asked, error_code="NotImplemented") == (
        LocalListAnswered(7, 3, "NotImplemented", is_accepted=False, is_supported=False),
    )
    assert meaning("GetLocalListVersion", {}, payload={"listVersion": "4"}) == (
        LocalListVersion(7, 4),
    )
    assert meaning("GetLocalListVersion", {}, payload={"listVersion": -1}) == (
        LocalListVersion(7, -1, is_supported=False),
    )
    assert meaning("GetLocalListVersion", {}, payload=[]) == (LocalListVersion(7, None),)


def test_charging_profiles() -> None:
    profile = {"chargingProfileId": 4, "stackLevel": 2, "chargingProfilePurpose": "TxProfile"}
    asked = {"connectorId": 1, "csChargingProfiles": {**profile, "transactionId": 9}}
    (effect,) = meaning("SetChargingProfile", asked, status="Accepted")
    assert isinstance(effect, ChargingProfileInstalled)
    assert (effect.profile_id, effect.stack_level, effect.session) == (4, 2, 9)
    assert meaning("SetChargingProfile", asked, status="NotSupported") == ()
    assert meaning("SetChargingProfile", {"connectorId": 1}, status="Accepted") == ()
    assert meaning("ClearChargingProfile", {"id": 4}, status="Unknown") == (
        ChargingProfilesCleared(4, None, None, None, "Unknown"),
    )
    assert meaning("ClearChargingProfile", {}, error_code="InternalError") == ()


def test_trusted_certificates() -> None:
    kind = {"certificateType": "ManufacturerRootCertificate"}
    assert meaning("GetInstalledCertificateIds", kind, status="NotFound") == (
        RootCertificatesReported("ManufacturerRootCertificate", ()),
    )
    assert meaning("GetInstalledCertificateIds", kind, error_code="NotImplemented") == ()
    hashes = {"hashAlgorithm": "SHA256", "issuerNameHash": "AB", "issuerKeyHash": "CD"}
    named = {"certificateHashData": {**hashes, "serialNumber": "0F"}}
    assert meaning("DeleteCertificate", named, status="Accepted") == (
        RootCertificateDeleted(CertificateHash("SHA256", "ab", "cd", "0f"), "Accepted"),
    )
    assert meaning("DeleteCertificate", named, status="Failed") == ()
