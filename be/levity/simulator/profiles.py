"""What a make of charger does, as data: every field is a habit seen on real hardware.

The table of makes is in `makes.py`. A profile changes what the simulator puts on the wire and when;
it never changes what the simulated hardware is (that is `connector.py` and `meter.py`).
Durations are seconds of simulated time unless the field says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

__all__ = [
    "AfterPowerLoss",
    "Backoff",
    "MessageIds",
    "Profile",
    "Register",
    "RemoteStartHabit",
    "RetryStyle",
    "Sample",
    "TimestampStyle",
]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class MessageIds(StrEnum):
    """How the unique ids of this charger's Calls look."""

    UUID = "uuid"
    SERIAL_AND_HEX = "serial-and-hex"
    """The serial number without its "GRS-", and eight hexadecimal digits (Grizzl-E)."""
    COUNTER = "counter"
    """"1", "2", ...: starts again after every reboot (Alfen)."""
    LONG_NUMBER = "long-number"
    """Twenty decimal digits (Legrand)."""


class TimestampStyle(StrEnum):
    """How this charger writes a moment."""

    MILLISECONDS = "milliseconds"
    """2024-05-01T10:00:00.000Z"""
    SECONDS = "seconds"
    """2024-05-01T10:00:00Z"""
    WITHOUT_ZONE = "without-zone"
    """Local time, and no word of the zone (Growatt)."""
    LOCAL_LABELLED_UTC = "local-labelled-utc"
    """Local time with a Z behind it."""


class Register(StrEnum):
    """What the energy register means, where."""

    LIFETIME = "lifetime"
    """The meter's register everywhere, as OCPP 1.6 has it."""
    SESSION_IN_METER_VALUES = "session-in-meter-values"
    """MeterValues count from the session's start; Start and Stop carry the lifetime register."""
    SESSION = "session"
    """Everything counts from the session's start: meterStart is always 0."""


class AfterPowerLoss(StrEnum):
    """What becomes of the transaction that was under way when the power went."""

    STOP = "stop"
    """StopTransaction with reason PowerLoss once the charger is back."""
    RESUME = "resume"
    """The session goes on with the transactionId that it had."""
    FORGET = "forget"
    """It is never mentioned again."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One sampledValue of a MeterValues message. A field that is None is left out, as some do.

    What is measured follows from `measurand`; None is OCPP's default, the energy register.
    The value is computed in W, Wh, A, V or percent, then written in `unit` (kW, kWh: converted).
    """

    measurand: str | None = "Energy.Active.Import.Register"
    unit: str | None = "Wh"
    phase: str | None = None
    context: str | None = "Sample.Periodic"
    location: str | None = "Outlet"
    format: str | None = None
    decimals: int | None = None
    """How many places the value is written with; None: as many as it has."""


@dataclass(frozen=True, slots=True)
class RetryStyle:
    """What happens when a transaction message is answered with a CALLERROR or not at all.

    A connection that breaks is no attempt: the message waits in the queue and goes out again first.
    """

    attempts: int = 3
    """Transmissions before the message is thrown away (TransactionMessageAttempts). 0: for ever."""
    interval: float = 60.0
    """Wait before the second transmission (TransactionMessageRetryInterval)."""
    growing: bool = True
    """OCPP 1.6, 3.7.1: the wait is the interval times the number of transmissions so far."""
    new_id: bool = False
    """The retry carries a new message id, so only the content says that it is the same message."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long a charger waits before it dials again: first * 2^n up to `most`, and some chance."""

    first: float = 2.0
    most: float = 120.0
    jitter: float = 2.0


@dataclass(frozen=True, slots=True)
class RemoteStartHabit:
    """What the charger makes of a RemoteStartTransaction."""

    deaf_for: float = 0.0
    """So long after Preparing it answers Accepted and does nothing (Grizzl-E: about a second)."""
    required_tag: str | None = None
    """Rejected unless the idTag equals this configured key (Alfen)."""
    refuses_charging_profile: bool = False
    """CALLERROR ProtocolError if the request carries a charging profile (Wallbox)."""
    authorizes: bool = False
    """Sends Authorize first (AuthorizeRemoteTxRequests)."""
    start_delay: float = 0.5
    """Between the answer Accepted and the contactor."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A make of charger. The defaults are a charger that does what OCPP 1.6 says."""

    name: str
    """The word for `--profile`."""
    source: str
    """Where the habits were seen."""

    # Who it says it is
    vendor: str = "Levity"
    model: str = "Simulated"
    serial: str = "SIM-{number:08d}"
    """`{number}` is the charger's number in its fleet."""
    firmware: str = "1.0.0"
    boot_extras: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    """Further fields of BootNotification."""

    # How it connects
    user_agent: str | None = "levity-simulator"
    """The User-Agent header; None leaves it out."""
    origin: str | None = None
    """The Origin header, which some libraries always send (Grizzl-E, TinyWebsockets)."""
    subprotocols: tuple[str, ...] = ("ocpp1.6",)
    """Sec-WebSocket-Protocol; empty: no such header (Grizzl-E, TinyWebsockets)."""
    breaks_on_coalesced_frames: bool = False
    """Closes with 1002 when two websocket frames arrive in one TCP segment."""
    reconnects_after_clean_close: bool = True
    """False: a Close frame of 1000 is taken as good-bye for ever (JIGU)."""
    drops_without_close: bool = False
    """Goes without a Close frame when it reboots."""
    backoff: Backoff = Backoff()

    # Boot
    boots_on_connect: bool = True
    """False: silent until TriggerMessage(BootNotification), or for `boot_fallback` seconds."""
    boot_fallback: float = 30.0
    boots_on_reconnect: bool = False
    """OCPP-J 1.6, 5.4: no BootNotification is needed after a mere reconnect; many send one."""
    reboot_time: float = 20.0

    # Frames
    message_ids: MessageIds = MessageIds.UUID
    timestamps: TimestampStyle = TimestampStyle.MILLISECONDS
    utc_offset: float = 0.0
    """Hours, for the two local styles of timestamp."""
    answer_timeout: float = 30.0
    """Real seconds it waits for the central system's answer."""
    answer_delay: float = 0.0
    """So late it answers the central system's Calls (Mennekes: more than 60 s)."""
    truncates_answers_to: frozenset[str] = frozenset()
    """Calls whose answer breaks off in the middle of the JSON; then it reboots (Grizzl-E 5.x)."""
    reboots_after_configuring: frozenset[str] = frozenset()
    """Keys it accepts in ChangeConfiguration and then dies of (ABB Terra AC)."""
    feature_profiles: tuple[str, ...] = (
        "Core",
        "FirmwareManagement",
        "RemoteTrigger",
        "SmartCharging",
    )
    """SupportedFeatureProfiles: Calls of any other profile get NotSupported."""

    # Hardware
    connectors: int = 1
    phases: int = 3
    max_current: float = 16.0
    """A per phase."""
    first_register: float = 1_000_000.0
    """Wh on the meter when the simulation starts (plus some chance)."""

    # StatusNotification
    status_extras: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    """Further fields of every StatusNotification."""
    status_info: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    """`info` by status."""
    status_with_timestamp: bool = True
    fault_as_status: bool = False
    """The errorCode stands where the status belongs (Zaptec Go): breaks the schema."""
    fault_code: str | None = None
    """Sent for every fault, whatever it is (Legrand: "Error", which breaks the schema)."""
    doubles_status_in: str | None = None
    """Vendor id of a DataTransfer that repeats each StatusNotification (EVBox: EV-BOX)."""

    # Metering
    samples: tuple[Sample, ...] = (
        Sample(),
        Sample("Power.Active.Import", "W"),
        Sample("Current.Import", "A", phase="L1"),
        Sample("Voltage", "V", phase="L1-N"),
    )
    sample_interval: float = 60.0
    """Until ChangeConfiguration(MeterValueSampleInterval) says otherwise."""
    register: Register = Register.LIFETIME
    element_per_measurand: bool = False
    """One meterValue element for each sampledValue (Zaptec Go 2)."""
    numeric_values: bool = False
    """`value` is a JSON number (OpenEVSE): breaks the schema, which wants a string."""
    register_scale: float = 1.0
    """The register is multiplied by this and the unit left alone (OpenEVSE: kWh called Wh)."""
    queued_context: str | None = None
    """Context of samples taken while offline (Alfen: the wrong one)."""

    # Transactions
    charging_before_start: bool = False
    """StatusNotification(Charging) goes out before StartTransaction, not after."""
    stop_samples: tuple[Sample, ...] = ()
    """transactionData of StopTransaction."""
    stop_data_before_start: bool = False
    """The Stop sample is dated before the Start sample (Grizzl-E 05.653)."""
    stop_id_tag: str | None = None
    """Sent as idTag of every StopTransaction (Wallbox: the empty string)."""
    meter_values_after_stop: bool = False
    """A closing MeterValues follows StopTransaction."""
    offline_tag: str | None = None
    """The idTag of a session that starts offline (Wallbox: NoAuthorization)."""
    id_when_unknown: int = -1
    """transactionId of a session whose StartTransaction was never answered."""
    stops_with_unknown_id: bool = False
    """StopTransaction carries `id_when_unknown` although the id is known (Hager)."""
    after_power_loss: AfterPowerLoss = AfterPowerLoss.STOP
    stops_on_invalid_id: bool = True
    """StopTransactionOnInvalidId: DeAuthorized when StartTransaction.conf refuses the tag."""
    connection_timeout: float = 120.0
    """ConnectionTimeOut: Preparing without a start goes back to Available (or Finishing)."""
    file_protocols: tuple[str, ...] = ("http", "https", "ftp")
    """By which it transfers files; by others it fails."""
    fails_updates: bool = False
    """InstallationFailed, whatever the firmware."""
    remote_start: RemoteStartHabit = RemoteStartHabit()
    retry: RetryStyle = RetryStyle()

    configuration: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    """Further configuration keys (all read-write)."""
