"""The quirk profiles that Levity ships. The facts are from public issue threads (project#number).

`lb` is lbbrhzn/ocpp, `evcc` is evcc-io/evcc. The first profile that fits is used.
"""

from levity.ocpp.chargers.quirks.profile import QuirkProfile

__all__ = ["SHIPPED"]

SHIPPED: tuple[QuirkProfile, ...] = (
    QuirkProfile(
        name="grizzl-e-connect",
        title="Grizzl-E Smart Connect",
        vendor="UnitedChargers|United Chargers",
        firmware="GWM",
        grade="captures",
        facts="Speaks ocpp1.6, authenticates with an empty password, shows its password unmasked "
        "in GetConfiguration, and drops the connection without a Close frame.",
        sources=("public capture",),
        frame_gap=0.05,
        ping_interval=0.0,
    ),
    QuirkProfile(
        name="grizzl-e-mini",
        title="Grizzl-E Mini",
        vendor="United ?Chargers|UC$",
        model=".*Mini",
        facts="Accepts charging profiles of stack level 0 only, and ignores limits below 7 A.",
        sources=("evcc#32502",),
        frame_gap=0.1,
        ping_interval=0.0,
    ),
    QuirkProfile(
        name="grizzl-e",
        title="Grizzl-E Smart",
        vendor="United Chargers|UnitedChargers|UC$",
        grade="captures",
        facts="Sends no subprotocol header; sends malformed pongs; answers some Calls with "
        "truncated JSON, then reboots; ignores a RemoteStart right after Preparing; closes with "
        "1002 when two frames arrive in one TCP segment; MeterValues count from the session's "
        "start while Start and Stop contain the lifetime register.",
        sources=("lb#442", "lb#176", "lb#899", "lb#2093"),
        frame_gap=0.1,
        ping_interval=0.0,
        remote_start_delay=1.0,
        remote_start_again=10.0,
        session_register=True,
        reads_configuration=False,
    ),
    QuirkProfile(
        name="en-plus",
        title="EN+",
        vendor="EN\\+|EN Plus",
        facts="Leaves Preparing again if RemoteStart comes late.",
        sources=("evcc#15752",),
        remote_start_delay=0.0,
    ),
    QuirkProfile(
        name="wallbox",
        title="Wallbox",
        vendor="Wall ?Box",
        grade="captures",
        facts="Loops if anything is sent to it before its BootNotification; sends an empty idTag "
        "in StopTransaction and NoAuthorization in an offline StartTransaction.",
        sources=("lb#1503", "evcc#27309"),
        boot_first=True,
    ),
    QuirkProfile(
        name="abb-terra",
        title="ABB Terra AC",
        vendor="ABB|Chargedot",
        grade="captures",
        facts="Up to 1.8.21 it reboots when it reads measurands that it has accepted: never probe "
        "by writing. Message ids are numbers as strings; info is the word null.",
        sources=("lb#1275",),
        unsafe_keys=(
            *("MeterValuesSampledData", "MeterValuesAlignedData"),
            *("StopTxnSampledData", "StopTxnAlignedData"),
        ),
        key_notes=(
            "MeterValuesSampledData: up to 1.8.21 it restarts when it reads measurands it lacks.",
        ),
    ),
    QuirkProfile(
        name="alfen",
        title="Alfen",
        vendor="Alfen",
        grade="captures",
        facts="Message ids start again at 1 after a reboot; 5.8 sends transactionId 2^63-1; sends "
        "a long backlog at its first connection. RemoteStart works only with the tag in its own "
        "configuration: set remote_start_id_tag on the charge point.",
        sources=("evcc#5021", "ocpp-go#188", "lb#361"),
    ),
    QuirkProfile(
        name="evbox",
        title="EVBox",
        vendor="EV-?BOX",
        grade="captures",
        facts="Sends every StatusNotification twice, once as a DataTransfer of vendor EV-BOX; Elvi "
        "sends meaningless offered currents, offered powers and states of charge.",
        sources=("evcc#12821", "evcc#29652"),
        ignored_measurands=("Current.Offered", "Power.Offered", "SoC"),
    ),
    QuirkProfile(
        name="zaptec",
        title="Zaptec",
        vendor="Zaptec",
        grade="captures",
        facts="Reports an error code as status; registers exceed 2^32 Wh; one meterValue element "
        "for each measurand.",
        sources=("evcc#29863",),
    ),
    QuirkProfile(
        name="huawei",
        title="Huawei",
        vendor="Huawei",
        facts="A limit of 0 W ends the transaction; meterStop can be 1 Wh below meterStart.",
        sources=("lb#1810", "lb#2084"),
    ),
    QuirkProfile(
        name="easee",
        title="Easee",
        vendor="Easee",
        grade="captures",
        facts="Energy is in kWh while power is in W: the unit of each sample counts.",
        sources=("public capture",),
    ),
    QuirkProfile(
        name="ocular",
        title="Ocular",
        vendor="Ocular|BS AC EV",
        facts="Returns a 20-character idTag with two more characters; closes its connection after "
        "110 s of silence.",
        sources=("lb#2030",),
        heartbeat_interval=45,
    ),
    QuirkProfile(
        name="morek",
        title="Morek, Timxon",
        vendor="",
        model="EAW-A007",
        facts="Sends no heartbeat while no car is connected, and has no setting for one: silent, "
        "but connected.",
        sources=("lb#1679",),
        heartbeat_interval=3600,
    ),
    QuirkProfile(
        name="free2move",
        title="Free2move eProWallbox",
        vendor="Free2move",
        facts="2.9.3 drops the connection 0.8 s after an immediate answer to StartTransaction (77 "
        "of 89 times), but charges if the answer comes a second later; answers NotImplemented to "
        "TriggerMessage of MeterValues; sends samples with locations Inlet and Body.",
        grade="captures",
        sources=("lb#2080", "evcc#15022"),
        frame_gap=1.5,
    ),
    QuirkProfile(
        name="microocpp",
        title="MicroOcpp, and firmware built on it",
        vendor="MicroOcpp",
        grade="captures",
        facts="Message ids are derived from the milliseconds since power-on, so they repeat after "
        "a restart and at other chargers. After a Call of its own without an answer it sends "
        "nothing for 40 s, also on the next connection: no Preparing, no heartbeat, then a burst; "
        "it still answers Calls. A session that began with an unset clock and was cut off by a "
        "power loss is never reported. After a reconnect, statuses come before the transactions "
        "they belong to, at most ten of them. It answers TriggerMessage of "
        "FirmwareStatusNotification with Accepted, then sends a Call CustomOperation. It corrects "
        "times from before the boot: a start may be dated before its boot. GetCompositeSchedule "
        "has limit -1 for none. UpdateFirmware may be NotImplemented; AuthorizationKey can be "
        "read. If its local list contradicts our answer, it reports errorCode LocalListConflict at "
        "connector 0.",
        sources=("MicroOcpp 1.2.0, run with Levity",),
    ),
    QuirkProfile(
        name="aefa",
        title="AEFA Home",
        vendor="AEFA",
        facts='Sends broken JSON ("transactionId":,) and times without a zone: set the time zone '
        "of the charge point or its site.",
        sources=("lb#2032",),
    ),
    QuirkProfile(
        name="growatt",
        title="Growatt THOR",
        vendor="Growatt",
        facts="Local times without a zone; DataTransfer.data is an object.",
        sources=("evcc#10399", "mobilityhouse#101"),
    ),
    QuirkProfile(
        name="schneider-siemens",
        title="Schneider, Siemens",
        vendor="Schneider|Siemens",
        facts="Serial numbers of 33 characters.",
        sources=("lb#213",),
    ),
    QuirkProfile(
        name="jigu",
        title="JIGU",
        vendor="JIGU",
        facts="Never reconnects after a clean Close frame.",
        sources=("lb#1975",),
        abort_on_restart=True,
    ),
    QuirkProfile(
        name="foxess",
        title="FoxESS A",
        vendor="Fox ?ESS",
        facts="Switches between OCPP 1.6 and 2.0.1; Levity answers 1.6.",
        sources=("lb#2008",),
    ),
    QuirkProfile(
        name="mennekes-amtron",
        title="Mennekes Amtron",
        vendor="MENNEKES",
        facts="Answers Calls after more than 60 seconds.",
        sources=("evcc#26837",),
        call_timeout=120,
    ),
    QuirkProfile(
        name="openevse",
        title="OpenEVSE",
        vendor="OpenEVSE",
        facts="Sends kWh as Wh, and numbers instead of strings as values.",
        sources=("OpenEVSE#703",),
        energy_scale=1000,
    ),
    QuirkProfile(
        name="garo",
        title="Garo",
        vendor="Garo",
        facts="Uses hyphens, blanks and vertical bars in its identity (%20 and %7C in the URL).",
        sources=("citrineos#1093",),
    ),
    QuirkProfile(
        name="libocpp",
        title="EVerest and others with libocpp",
        vendor="EVerest",
        facts="After an offline start, StopTransaction and MeterValues contain transactionId -1, 0 "
        "or null; meterStop may have decimals.",
        sources=("libocpp#495", "libocpp#638", "steve#292"),
    ),
    QuirkProfile(
        name="legrand",
        title="Legrand",
        vendor="Legrand",
        grade="captures",
        facts="errorCode Error, which is not in the standard; message ids of 20 digits.",
        sources=("public capture",),
    ),
    QuirkProfile(
        name="abl",
        title="ABL",
        vendor="ABL",
        grade="captures",
        facts="JSON with unusual white space.",
        sources=("public capture",),
    ),
    QuirkProfile(
        name="hager",
        title="Hager",
        vendor="Hager",
        grade="captures",
        facts="Starts anyway after ConcurrentTx, and stops with transactionId -1.",
        sources=("public capture",),
    ),
    QuirkProfile(
        name="metron",
        title="Metron",
        vendor="Metron",
        grade="captures",
        facts="Repeats the same StopTransaction every 10 seconds for ever after one CALLERROR.",
        sources=("public capture",),
    ),
)
