"""What is right for each capture, worked out from its frames by hand; the database is held to it.

Energy is the newest register that counts minus meterStart, or meterStop minus meterStart; power is
the newest total, or the sum of its phases. A person reads the frames and does the sum: nothing here
was copied from what Levity says. docs/field.md tells how to add one.
"""

from dataclasses import dataclass, field

__all__ = ["RIGHT", "Right", "S"]


@dataclass(frozen=True, slots=True)
class S:
    """A session: what is on the books when the capture ends."""

    connector: int
    start: float
    energy: float | None = None
    """Wh so far; None where the frames tell no energy."""
    power: float | None = None
    stop: float | None = None
    """meterStop; None where it still runs."""
    tag: str = "A1B2C3D4"
    flags: str | None = ""
    """None where they are another test's to judge."""
    confidence: str = "high"
    """In the energy of one that has ended."""


@dataclass(frozen=True, slots=True)
class Right:
    """All of it."""

    sessions: tuple[S, ...] = ()
    connectors: dict[int, str] = field(default_factory=dict)
    """The status that each shows in the end."""
    loose: int = 0
    """Samples that belong to no session."""
    samples: int | None = None
    """All samples, where the frames can't be counted as JSON."""
    wordless: int = 0
    """Samples without a number."""
    quarantined: int = 0
    errors: tuple[tuple[str, str], ...] = ()
    """The Calls that get a CALLERROR, and the code."""
    commands: tuple[tuple[str, str], ...] = ()
    """Action and end of commands that can't be answered."""
    charge_point: dict[str, str] = field(default_factory=dict)


def free(*numbers: int) -> dict[int, str]:
    """All of these are Available."""
    return dict.fromkeys(numbers, "Available")


RIGHT: dict[str, Right] = {
    "abb-1": Right(connectors={1: "Preparing"}, charge_point={"meter_type": "V1"}),
    # L1 2170 + L2 2163 + L3 0.
    "abb-3": Right((S(1, 0, 4120, 4333),)),
    # All of Transaction.End, and nothing was charged.
    "abb-4": Right((S(1, 0, 0, 41),)),
    "abb-5": Right(connectors={0: "Available", 1: "Preparing"}, charge_point={"meter_type": "V1"}),
    "abb-6": Right(loose=6),
    "abl-1": Right(connectors={1: "Finishing"}),
    "alfen-1": Right(connectors={0: "Faulted"}),
    # 15.63 A and 16 A are no registers: the unit decides where no measurand does.
    "alfen-2": Right((S(1, 1000),)),
    "autel-1": Right(connectors=free(0)),
    # One meaning: the comma is too many. 139955 - 139000.
    "beny-1": Right((S(1, 139000, 955, 0),), samples=2),
    # A register of Transaction.Begin alone is the only one there is.
    "beny-2": Right((S(1, 3480201, 0, 0),)),
    "beny-3": Right(connectors={1: "Charging"}),
    "chargeamps-1": Right(connectors=free(0, 1, 2), charge_point={"iccid": "0"}),
    "chargebyte-1": Right(connectors=free(0)),
    "chargehere-1": Right(connectors=free(1, 2), quarantined=1),
    # 11295100 - 11290000.
    "ecotap-1": Right(
        (S(1, 11290000, 5100),),
        free(0),
        charge_point={"iccid": "8931081000000000001", "imsi": "204080000000001"},
    ),
    # 10798 - 9800.
    "en-plus-1": Right((S(1, 9800, 998, 0),), {1: "Finishing"}),
    "etrel-1": Right(loose=13),
    # 95.0 - 0.
    "en-plus-2": Right((S(1, 0, 95, 0),)),
    # An interval is no register.
    "entratek-1": Right((S(1, 5000, None, 3615.03),)),
    "evbox-1": Right(charge_point={"iccid": "8931080000000000001", "imsi": "204080000000001"}),
    "evbox-3": Right(),
    "evbox-4": Right(),
    "evbox-5": Right(connectors={1: "Charging"}),
    "evbox-7": Right(connectors={1: "SuspendedEVSE"}),
    # A box without a meter: zeros, the voltage too.
    "evbox-8": Right((S(1, 0, 0, 0),)),
    "evbox-9": Right((S(1, 0, 0, 0, tag="04A1B2C3D4E5F6"),), {1: "SuspendedEVSE"}),
    "evbox-10": Right((S(1, 0, 0, 0),), {1: "Charging"}),
    "everest-1": Right(charge_point={"diagnostics_status": "Uploading"}),
    # 553810 - 550000, of the only place that there is.
    "foxess-1": Right((S(1, 550000, 3810, 0),)),
    "free2move-2": Right(loose=6),
    # 365761 - 360000; what is of the outlet is only offered.
    "free2move-3": Right((S(1, 360000, 5761, 0),)),
    "fronius-1": Right(charge_point={"firmware_status": "Installed"}),
    "go-e-1": Right(connectors=free(0)),
    # The clock of its start was eleven minutes ahead: the session is over all the same.
    "go-e-2": Right((S(1, 8016, 0, stop=8016, tag="TEST", flags=None, confidence=""),)),
    "go-e-3": Right(loose=8),
    # Body is this make's only location: 0 Wh and 0 W, not "unknown".
    "grizzl-e-1": Right((S(1, 0, 0, 0),)),
    "grizzl-e-2": Right(
        charge_point={"iccid": "-67", "meter_type": "SW"},
        commands=(("GetConfiguration", "refused"),),
    ),
    "grizzl-e-4": Right(connectors={1: "Preparing"}, charge_point={"iccid": "-9", "imsi": "1"}),
    "grizzl-e-5": Right(),
    # From 0 a register of the session and one of the meter's life look alike.
    "grizzl-e-6": Right(
        (S(1, 0, 70.14, 7148.96, tag="theresidnt", flags=None),),
        {1: "Charging"},
        charge_point={"iccid": "-87", "imsi": "1"},
    ),
    # The sample of the stop is 0.10 Wh above it, and rounds to it.
    "grizzl-e-7": Right((S(1, 0, 40330, stop=40330, tag="theresidnt"),)),
    # 163630 - 157440; the value of Transaction.Begin beside it is the start's.
    "growatt-1": Right((S(1, 157440, 6190),)),
    "growatt-3": Right((S(1, 0, tag="evcc"),)),
    "hager-1": Right(connectors={3: "Preparing", 4: "SuspendedEVSE"}),
    "heidelberg-1": Right(loose=7, wordless=7),
    "heidelberg-2": Right(loose=9),
    "huawei-1": Right((S(1, 0, 0),), samples=1),
    "huawei-2": Right(charge_point={"serial_number": "test"}),
    # 254780 - 251000; 3.5 kW.
    "injet-1": Right((S(1, 251000, 3780, 3500),)),
    # 374250 - 374000; 5.7 kW.
    "injet-2": Right((S(1, 374000, 250, 5700),)),
    # 2331855 - 2331810; 3.45 kW on L1, nothing known of the others.
    "joint-1": Right((S(1, 2331810, 45, 3450),)),
    "kathrein-1": Right(loose=15),
    # 164.5 Wh of the day before is no sample of this session.
    "keba-3": Right((S(4, 164, tag="12345678_dummy1"),), free(1, 2, 3, 4), loose=5),
    # 51608.5 - 51000 and 64860.1 - 64000.
    "keba-4": Right((S(3, 51000, 608.5), S(2, 64000, 860.1))),
    "legrand-1": Right(connectors={0: "Faulted"}),
    "libocpp-1": Right(),
    "mennekes-1": Right(),
    "mennekes-2": Right(connectors={1: "Charging"}),
    "metron-1": Right(),
    "mh415-1": Right((S(2, 33259490, tag="330099\\\\\\"),)),
    "microocpp-1": Right((S(1, 0, tag="7500000113"),), {1: "Charging"}),
    "microocpp-10": Right((S(1, 0, tag="00000000000000000100"),)),
    # 2310 - 1644; its own sample a second later says 111 Wh more: doubted, and not decided.
    "microocpp-11": Right(
        (S(1, 1644, 666, stop=2310, flags="below-samples", confidence="medium"),)
    ),
    # On L1 alone.
    "microocpp-12": Right((S(1, 0, 51.313, 103),)),
    "microocpp-2": Right((S(1, 0, 28, stop=28, tag="ABCDEFRID"),), free(1)),
    "microocpp-4": Right(connectors={1: "Faulted"}),
    "microocpp-5": Right(connectors={0: "Unavailable"}),
    # The outlet's; the car's and the cable's are not registers.
    "microocpp-7": Right((S(1, 0, 0, 0),)),
    "microocpp-9": Right((S(1, 0, tag="9000039100"),), {1: "Charging"}),
    # Each rises from where the one before ended: 49, 73, 92, 110, 144, 161; connector 2 has 41.
    "mo16-1-sessions": Right(
        (
            S(1, 0, 49, stop=49, tag="anonymous"),
            S(1, 49, 24, stop=73, tag="5AFE0102"),
            S(1, 73, 19, stop=92, tag="5AFE0103"),
            S(1, 92, 18, stop=110, tag="anonymous"),
            S(1, 110, 34, stop=144, tag="anonymous"),
            S(2, 0, 41, stop=41, tag="anonymous"),
            S(1, 144, 17, stop=161, tag="anonymous"),
        ),
        free(0, 1, 2),
    ),
    # The last one runs: 407 - 392.
    "mo16-2-offline": Right(
        (
            S(1, 0, 86, stop=86, tag="anonymous"),
            S(1, 86, 35, stop=121, tag="anonymous"),
            S(1, 121, 95, stop=216, tag="5AFE0300"),
            S(2, 0, 21, stop=21, tag="5AFE0303"),
            S(1, 216, 88, stop=304, tag="5AFE0301"),
            S(2, 21, 21, stop=42, tag="5AFE0304"),
            S(1, 304, 88, stop=392, tag="5AFE0302"),
            S(1, 392, 15, 10995.77, tag="anonymous"),
        ),
        {0: "Available", 1: "Charging", 2: "Available"},
    ),
    # Then nine times two samples of a session that this firmware never tells of.
    "mo16-4-clock-unset": Right(
        (S(1, 0, 91, stop=91, tag="5AFE0302"), S(1, 91, 107, stop=198, tag="5AFE0303")),
        free(0, 1, 2),
        loose=18,
    ),
    "mo16-5-commands": Right(
        (
            S(1, 0, 12, stop=12, tag="5AFE0203"),
            S(1, 12, 35, stop=47, tag="anonymous"),
            S(2, 0, 12, stop=12, tag="anonymous"),
        ),
        free(0, 1, 2),
        loose=6,
        errors=(("CustomOperation", "NotImplemented"),),
    ),
    "mo16-6-files": Right(connectors=free(0, 1, 2)),
    # 85 to 85 and 118 to 118: its charger took the card's right back at once.
    "mo16-8-authorization": Right(
        (
            S(1, 0, 21, stop=21, tag="5AFE0501"),
            S(1, 21, 12, stop=33, tag="5afe0501"),
            S(1, 33, 27, stop=60, tag="5AFE0504"),
            S(1, 60, 25, stop=85, tag="5AFE0506"),
            S(1, 85, 0, stop=85, tag="5AFE0502"),
            S(1, 85, 18, stop=103, tag="5AFE0504"),
            S(1, 103, 15, stop=118, tag="5AFE0501"),
            S(1, 118, 0, stop=118, tag="FREE"),
        ),
        free(0, 1, 2),
    ),
    "ocular-1": Right(),
    "openevse-2": Right((S(1, 0, 54, stop=54),), {1: "Finishing"}),
    "openwb-1": Right(loose=1),
    # 646 of Sample.Periodic; the 0 of Transaction.Begin after it is the start's.
    "project-ev-1": Right((S(1, 0, 646, 3901),)),
    "schneider-1": Right(
        charge_point={
            "charge_box_serial_number": "EVB1A22P2KI3N12345678901234567890",
            "serial_number": "3N123456789F2S1B1234567890",
        }
    ),
    "simplecharge-1": Right(),
    "smappee-1": Right(),
    # 0.10 kWh.
    "smart1-2": Right((S(1, 0, 100, 3457.86),)),
    # 792981 - 780000.
    "sonnen-1": Right((S(1, 780000, 12981, stop=792981, tag="148bf00d"),)),
    "starcharge-1": Right(connectors=free(0)),
    # Voltage alone tells no energy.
    "teison-1": Right((S(1, 0),)),
    "teison-2": Right(connectors={0: "Available", 1: "Charging"}),
    "unknown-32078-1": Right((S(1, 4265924, tag="evcc"),), {1: "Preparing"}),
    "unknown-dallmann-1": Right((S(4, 0, 164.5),)),
    # 155276 - 154953.
    "unknown-dc-1": Right((S(1, 154953, 323, stop=155276),)),
    # 4055 - 2800, of transaction 0.
    "unknown-kr-1": Right((S(1, 2800, 1255, stop=4055, tag="1234", flags="matched-by-connector"),)),
    "unknown-mh353-1": Right((S(1, 0),)),
    "vestel-1": Right(connectors=free(1), charge_point={"meter_type": "internal"}),
    "wallbox-10": Right(charge_point={"meter_type": "Internal NON compliant"}),
    "wallbox-2": Right(connectors={1: "Preparing"}),
    "wallbox-3": Right(loose=9),
    "wallbox-4": Right(charge_point={"firmware_status": "Installed"}),
    # 165544.5 - 150000; the clock-aligned one is of connector 0, of a charger that has one
    # connector: the same register to a tenth of a Wh, so it is the session's as well.
    "wallbox-5": Right((S(1, 150000, 15544.5, 0),)),
    "wallbox-7": Right(),
    "wallbox-8": Right(),
    # 108114.1 - 108000, clock-aligned.
    "wallbox-9": Right((S(1, 108000, 114.1),), {1: "SuspendedEV"}),
    "zappi-1": Right((S(1, 0, 8077),)),
    # 4296944685 Wh is more than 32 bits, and no session's.
    "zaptec-1": Right(loose=14),
}
