"""The makes that the simulator can play: invented serials, habits from public captures.

Sources are written project#number: lb = lbbrhzn/ocpp, evcc = evcc-io/evcc.
"""

from dataclasses import replace
from types import MappingProxyType

from levity.simulator.profiles import (
    AfterPowerLoss,
    MessageIds,
    Profile,
    Register,
    RemoteStartHabit,
    RetryStyle,
    Sample,
    TimestampStyle,
)

__all__ = ["PROFILES", "profile_named"]

_ENERGY = "Energy.Active.Import.Register"
_POWER = "Power.Active.Import"
_CURRENT = "Current.Import"

GENERIC = Profile(
    name="generic",
    source="OCPP 1.6 edition 2 and OCPP-J 1.6",
    feature_profiles=(
        "Core",
        "FirmwareManagement",
        "LocalAuthListManagement",
        "RemoteTrigger",
        "Reservation",
        "SmartCharging",
    ),
    configuration=MappingProxyType(
        {
            "LocalAuthListEnabled": "true",
            "LocalAuthListMaxLength": "500",
            "SendLocalListMaxLength": "100",
        }
    ),
)

GRIZZL_E = Profile(
    name="grizzl-e",
    source="Grizzl-E Smart 05.633: captures in lb#442; lb#899, lb#2093",
    vendor="United Chargers",
    model="GRS-*",
    serial="GRS-{number:09d}",
    firmware="05.633:GCW-10.17-05.7:7452:F3D2",
    boot_extras=MappingProxyType({"meterType": "SW", "iccid": "-9", "imsi": "1"}),
    user_agent="TinyWebsockets Client",
    origin="https://github.com/gilmaimon/TinyWebsockets",
    subprotocols=(),
    breaks_on_coalesced_frames=True,
    boots_on_reconnect=True,
    drops_without_close=True,
    message_ids=MessageIds.SERIAL_AND_HEX,
    truncates_answers_to=frozenset({"GetConfiguration"}),
    feature_profiles=("Core", "RemoteTrigger", "SmartCharging"),
    phases=1,
    max_current=32.0,
    status_extras=MappingProxyType({"vendorId": "UC", "vendorErrorCode": "0"}),
    status_info=MappingProxyType(
        {
            "Available": "Pilot and Charger:10h",
            "Preparing": "Pilot and Charger:20h",
            "Charging": "Pilot and Charger:C1h",
            "SuspendedEV": "Pilot and Charger:60h",
            "Finishing": "Pilot and Charger:20h",
        }
    ),
    samples=(
        Sample(_CURRENT, "A", phase="L1-N", location="Body", format="Raw", decimals=2),
        Sample(_POWER, "W", phase="L1-N", location="Body", format="Raw", decimals=2),
        Sample(_ENERGY, "Wh", phase="L1-N", location="Body", format="Raw", decimals=2),
    ),
    sample_interval=30.0,
    register=Register.SESSION_IN_METER_VALUES,
    charging_before_start=True,
    remote_start=RemoteStartHabit(deaf_for=0.9),
    retry=RetryStyle(attempts=3, interval=30.0, growing=False, new_id=True),
)

GRIZZL_E_05_653 = replace(
    GRIZZL_E,
    name="grizzl-e-05.653",
    source="Grizzl-E Smart 05.653: a capture of a whole session",
    firmware="05.653:GCW-10.17-05.7:7452:F3D2",
    truncates_answers_to=frozenset(),
    register=Register.SESSION,
    charging_before_start=False,
    stop_samples=(
        Sample(_CURRENT, "A", context=None, location=None, decimals=2),
        Sample(_POWER, "W", context=None, location=None, decimals=2),
        Sample(_ENERGY, "Wh", context=None, location=None, decimals=2),
    ),
    stop_data_before_start=True,
)

GRIZZL_E_CONNECT = replace(
    GRIZZL_E,
    name="grizzl-e-connect",
    source="Grizzl-E Smart Connect GWM-07.020: capture",
    vendor="UnitedChargers",
    model="GRS-32A",
    firmware="GWM-07.020-02.1",
    user_agent="ESP32 Websocket Client",
    origin=None,
    subprotocols=("ocpp1.6",),
    breaks_on_coalesced_frames=False,
    truncates_answers_to=frozenset(),
    configuration=MappingProxyType({"WiFiPassword": "not-a-real-password"}),
)

ALFEN = Profile(
    name="alfen",
    source="Alfen 5.8: evcc#5021, lb#361, ocpp-go#188",
    vendor="Alfen BV",
    model="Eve Single Pro-line",
    serial="ACE{number:07d}",
    firmware="5.8.1-4123",
    user_agent=None,
    boots_on_reconnect=True,
    message_ids=MessageIds.COUNTER,
    timestamps=TimestampStyle.SECONDS,
    queued_context="Transaction.Begin",
    id_when_unknown=2**63 - 1,
    remote_start=RemoteStartHabit(required_tag="ALFEN-REMOTE"),
    meter_values_after_stop=True,
)

WALLBOX = Profile(
    name="wallbox",
    source="Wallbox 6.x: lb#1503, evcc#27309, captures",
    vendor="Wall Box Chargers",
    model="PPR1-0-2-4",
    serial="{number:06d}",
    firmware="6.1.26",
    user_agent=None,
    boots_on_connect=False,
    stop_id_tag="",
    offline_tag="NoAuthorization",
    remote_start=RemoteStartHabit(refuses_charging_profile=True),
    max_current=32.0,
    phases=1,
    status_extras=MappingProxyType({"info": "", "vendorId": "com.wallbox", "vendorErrorCode": ""}),
    samples=(
        Sample(_POWER, "W", format="Raw", decimals=1),
        Sample(_ENERGY, "Wh", format="Raw", decimals=1),
        Sample(_CURRENT, "A", phase="L1", format="Raw", decimals=1),
        Sample("Voltage", "V", phase="L1-N", format="Raw", decimals=1),
    ),
)

EASEE = Profile(
    name="easee",
    source="Easee: capture; energy in kWh while power is in W",
    vendor="Easee",
    model="Home",
    serial="EH{number:06d}",
    firmware="322",
    user_agent=None,
    samples=(
        Sample(_ENERGY, "kWh", location=None),
        Sample(_POWER, "W", location=None),
        Sample(_CURRENT, "A", phase="L1", location=None),
        Sample(_CURRENT, "A", phase="L2", location=None),
        Sample(_CURRENT, "A", phase="L3", location=None),
    ),
)

ZAPTEC = Profile(
    name="zaptec",
    source="Zaptec Go and Go 2: evcc#29863, capture (register over 2^32 Wh)",
    vendor="Zaptec",
    model="Zaptec Go 2",
    serial="ZAP{number:06d}",
    firmware="2.4.2.4",
    user_agent=None,
    first_register=4_296_944_685.0,
    element_per_measurand=True,
    fault_as_status=True,
    max_current=32.0,
    samples=(
        Sample(_POWER, "W", format="Raw", decimals=1),
        Sample(_ENERGY, "Wh", location=None, format="Raw"),
        Sample(_CURRENT, "A", phase="L1", format="Raw", decimals=1),
        Sample("Voltage", "V", phase="L1-L2", format="Raw", decimals=1),
        Sample("Current.Offered", "A", location=None, format="Raw", decimals=1),
    ),
)

ABB = Profile(
    name="abb",
    source="ABB Terra AC up to 1.8.21: lb#1275, capture",
    vendor="ABB",
    model="CDT_TACW22::NET_WIFI",
    serial="TACW22{number:08d}",
    firmware="TAC3Z9119006710273::V1.8.21",
    boot_extras=MappingProxyType({"meterType": "V1"}),
    user_agent=None,
    status_extras=MappingProxyType({"info": "null", "vendorErrorCode": "0x0000"}),
    message_ids=MessageIds.COUNTER,
    reboots_after_configuring=frozenset({"MeterValuesSampledData"}),
    max_current=32.0,
    samples=(
        Sample("Voltage", "V", phase="L1-N", location=None, format="Raw", decimals=2),
        Sample(_CURRENT, "A", phase="L1", location=None, format="Raw", decimals=2),
        Sample(_POWER, "W", location=None, format="Raw"),
        Sample(_ENERGY, "Wh", location=None, format="Raw"),
    ),
)

EVBOX = Profile(
    name="evbox",
    source="EVBox Elvi: evcc#12821, evcc#29652",
    vendor="EV-BOX",
    model="E3322-A46061",
    serial="EVB-P{number:08d}",
    firmware="1.4.0.116",
    user_agent=None,
    doubles_status_in="EV-BOX",
    samples=(
        Sample(_CURRENT, "A", phase="L1", context=None, location=None),
        Sample(_ENERGY, "Wh", context=None, location=None),
        Sample(_POWER, "W", context=None, location=None),
        Sample("Voltage", "V", phase="L1", context=None, location=None),
        Sample("Power.Offered", "W", context=None, location=None),
        Sample("Current.Offered", "A", context=None, location=None),
        Sample("SoC", "Percent", context=None, location=None),
    ),
)

MENNEKES = Profile(
    name="mennekes",
    source="Mennekes Amtron: evcc#26837",
    vendor="MENNEKES",
    model="AMTRON Compact",
    serial="{number:09d}",
    firmware="5.12.3",
    user_agent=None,
    answer_delay=65.0,
)

GROWATT = Profile(
    name="growatt",
    source="Growatt THOR: evcc#10399",
    vendor="Growatt",
    model="THOR-22AS",
    serial="GRW{number:07d}",
    firmware="AGAA.01",
    user_agent=None,
    timestamps=TimestampStyle.WITHOUT_ZONE,
    utc_offset=2.0,
    max_current=32.0,
)

OPENEVSE = Profile(
    name="openevse",
    source="OpenEVSE: OpenEVSE#703",
    vendor="OpenEVSE",
    model="ESP32 Gateway",
    serial="OE{number:08d}",
    firmware="5.1.2",
    numeric_values=True,
    register_scale=0.001,
    samples=(Sample(_ENERGY, "Wh"), Sample(_POWER, "W")),
    phases=1,
    max_current=32.0,
)

LEGRAND = Profile(
    name="legrand",
    source="Legrand: capture (an errorCode outside the enum, 20-digit ids)",
    vendor="Legrand",
    model="0 590 17",
    serial="LG{number:08d}",
    firmware="3.2.0",
    message_ids=MessageIds.LONG_NUMBER,
    fault_code="Error",
)

HAGER = Profile(
    name="hager",
    source="Hager: capture (stops with transactionId -1)",
    vendor="Hager",
    model="XEV1K22T2TC",
    serial="HAG{number:08d}",
    firmware="2.1.3",
    stops_on_invalid_id=False,
    stops_with_unknown_id=True,
)

JIGU = Profile(
    name="jigu",
    source="JIGU: lb#1975 (gone for ever after a clean Close frame)",
    vendor="JIGU",
    model="J1772-32",
    serial="JG{number:08d}",
    firmware="1.0.9",
    reconnects_after_clean_close=False,
)

METRON = Profile(
    name="metron",
    source="Metron: capture (the same StopTransaction every 10 s for ever after a CALLERROR)",
    vendor="Metron",
    model="Wallbox",
    serial="ME{number:08d}",
    firmware="1.3",
    retry=RetryStyle(attempts=0, interval=10.0, growing=False),
)

LIBOCPP = Profile(
    name="libocpp",
    source="EVerest libocpp#495, libocpp#638; retries 3 x 30 s with new message ids",
    vendor="EVerest",
    model="libocpp",
    serial="EV{number:08d}",
    firmware="2024.9.0",
    boots_on_reconnect=True,
    retry=RetryStyle(attempts=3, interval=30.0, growing=False, new_id=True),
)

MICROOCPP = Profile(
    name="microocpp",
    source="MicroOcpp#50, MicroOcpp#237; retries carry the same message id",
    vendor="MicroOcpp",
    model="ESP32",
    serial="MO{number:08d}",
    firmware="1.2.0",
    retry=RetryStyle(attempts=3, interval=60.0, growing=True),
    after_power_loss=AfterPowerLoss.RESUME,
)

ONE_ATTEMPT = Profile(
    name="one-attempt",
    source="shipped firmware with TransactionMessageAttempts 1 and an interval of 10 s",
    model="One Attempt",
    retry=RetryStyle(attempts=1, interval=10.0, growing=False),
    after_power_loss=AfterPowerLoss.FORGET,
)

PROFILES = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            GENERIC,
            GRIZZL_E,
            GRIZZL_E_05_653,
            GRIZZL_E_CONNECT,
            ALFEN,
            WALLBOX,
            EASEE,
            ZAPTEC,
            ABB,
            EVBOX,
            MENNEKES,
            GROWATT,
            OPENEVSE,
            LEGRAND,
            HAGER,
            JIGU,
            METRON,
            LIBOCPP,
            MICROOCPP,
            ONE_ATTEMPT,
        )
    }
)
"""Every make by its name."""


def profile_named(name: str) -> Profile:
    """The make of that name; ValueError names all of them if there is none."""
    try:
        return PROFILES[name]
    except KeyError:
        raise ValueError(f"no profile {name!r}; there are: {', '.join(PROFILES)}") from None
