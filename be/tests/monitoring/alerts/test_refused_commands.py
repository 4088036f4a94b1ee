"""A no that matters is seen, with what the charger's own keys say of it (FIRMWARE.md, 7)."""

from typing import Any

import pytest

from levity.monitoring.alerts.conditions import failed_commands, refused_commands
from levity.ocpp.commands.refusals import hint
from levity.ocpp.models import ChargePoint, Command, Transaction
from tests.ocpp.charger import CentralSystem, Charger, at

pytestmark = pytest.mark.django_db

# As MicroOcpp 1.2.0 answered in captures/mo16-5, frame 111.
IN_AMPERES = {
    "connectorId": 1,
    "csChargingProfiles": {
        "chargingProfileId": 6,
        "stackLevel": 1,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "transactionId": 8,
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [
                {"startPeriod": 0, "limit": 16},
                {"startPeriod": 600, "limit": 8},
            ],
        },
    },
}


def answered(action: str, payload: Any, status: str, **other: Any) -> Command:
    """A command that was answered so a moment ago."""
    return Command.objects.create(
        charge_point=ChargePoint.objects.get(),
        action=action,
        payload=payload,
        state="answered",
        result_status=status,
        sent_at=at(0),
        finished_at=at(1),
        **other,
    )


def configured(**keys: str) -> None:
    """It has told these keys."""
    listed = [{"key": key, "readonly": False, "value": value} for key, value in keys.items()]
    answered("GetConfiguration", {}, "", result={"configurationKey": listed, "unknownKey": []})


@pytest.fixture(autouse=True)
def charger() -> Charger:
    """One that is connected, and charges."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    site.start(charger)
    return charger


def test_a_profile_in_amperes_is_refused_and_the_unit_is_named() -> None:
    """The charger takes W only, and says so in its configuration."""
    configured(ChargingScheduleAllowedChargingRateUnit="Power", ChargeProfileMaxStackLevel="8")
    answered("SetChargingProfile", IN_AMPERES, "Rejected")
    (finding,) = refused_commands(at(2))
    assert finding.kind == "command-refused"
    assert finding.summary == "CP1 answered SetChargingProfile with Rejected"
    assert finding.detail.endswith(
        "It accepts limits in W only (ChargingScheduleAllowedChargingRateUnit is “Power”), and this"
        " one is in A."
    )
    assert failed_commands(at(2)) == []


@pytest.mark.parametrize(
    ("action", "payload", "status", "keys", "said"),
    [
        (
            "SetChargingProfile",
            {"csChargingProfiles": {"stackLevel": 3}},
            "Rejected",
            {"ChargeProfileMaxStackLevel": "0"},
            "It accepts stack levels up to 0 (ChargeProfileMaxStackLevel), not 3.",
        ),
        (
            "SetChargingProfile",
            IN_AMPERES,
            "NotSupported",
            {"SupportedFeatureProfiles": "Core,Reservation"},
            "Its SupportedFeatureProfiles are “Core,Reservation”: SmartCharging is not among them.",
        ),
        (
            "SendLocalList",
            {"listVersion": 3, "localAuthorizationList": [{}, {}, {}]},
            "Rejected",
            {"SendLocalListMaxLength": "2"},
            "It accepts 2 id tags (SendLocalListMaxLength), not 3.",
        ),
        (
            "SendLocalList",
            {},
            "VersionMismatch",
            {"LocalAuthListEnabled": "true"},
            "Its list has another version: query it with GetLocalListVersion, or send a Full list.",
        ),
        (
            "ReserveNow",
            {"connectorId": 0},
            "Rejected",
            {"ReserveConnectorZeroSupported": "false"},
            "It reserves no connector 0 (ReserveConnectorZeroSupported is false): name one.",
        ),
        (
            "ChangeConfiguration",
            {"key": "X", "value": "1"},
            "Rejected",
            {},
            (
                "Send GetConfiguration: the charger's configuration keys may show why and will be "
                "evaluated here."
            ),
        ),
    ],
)
def test_its_own_keys_say_why(
    action: str, payload: Any, status: str, keys: dict[str, str], said: str
) -> None:
    if keys:
        configured(**keys)
    assert hint(ChargePoint.objects.get().pk, action, payload, status) == said


def test_a_tx_profile_without_a_session_says_so() -> None:
    """MicroOcpp, captures/mo16-5, frame 101: Rejected."""
    configured(ChargingScheduleAllowedChargingRateUnit="Current,Power")
    Transaction.objects.update(state="stopped")
    said = hint(ChargePoint.objects.get().pk, "SetChargingProfile", IN_AMPERES, "Rejected")
    assert said == "A TxProfile requires a running session, and there is none."


@pytest.mark.parametrize(
    ("action", "status", "source"),
    [
        ("RemoteStartTransaction", "Rejected", "AutoRemoteStart"),
        ("TriggerMessage", "NotImplemented", "admin"),
        ("DataTransfer", "UnknownVendorId", "admin"),
        ("Reset", "Accepted", "admin"),
        ("ChangeAvailability", "Scheduled", "admin"),
        ("ChangeConfiguration", "RebootRequired", "admin"),
        ("UnlockConnector", "Unlocked", "admin"),
    ],
)
def test_what_is_done_or_does_not_matter_raises_nothing(
    action: str, status: str, source: str
) -> None:
    """An automatic start may be refused: a card was faster."""
    answered(action, {}, status, source=source)
    assert refused_commands(at(2)) == []
