"""The configuration keys of OCPP 1.6 (chapter 9) and its security whitepaper, in our own words."""

from collections.abc import Mapping, Sequence
from typing import Any

from levity.ocpp.rules.configuration import KeyInfo, Kind
from levity.ocpp.v16.guards import CHANGE
from levity.ocpp.wire.private import is_secret
from levity.ocpp.wire.words import MEASURANDS

__all__ = ["AFTER_BOOT", "KEYS", "RECOMMENDED", "about", "ask", "danger", "put"]

CORE, LISTS, RESERVATION = "Core", "Local list", "Reservation"
CHARGING, FIRMWARE, SECURITY = "Smart charging", "Firmware", "Security"
PHASES = ("NotApplicable", "Unknown", "RST", "RTS", "SRT", "STR", "TRS", "TSR")
MEASURED = tuple(sorted(MEASURANDS.known))
RATE_UNITS = ("Current", "Power")
ANYONE = "Anyone can charge with any card while the charger is offline."


def _key(
    group: str,
    key: str,
    kind: Kind,
    meaning: str,
    unit: str = "",
    *,
    choices: tuple[str, ...] = (),
    least: int | None = None,
    most: int | None = None,
    readonly: bool = False,
    limit: str = "",
    danger: str = "",
    secret: bool = False,
    has_page: bool = False,
) -> KeyInfo:
    if kind == "number" and least is None:
        least = 0
    return KeyInfo(
        *(
            key,
            kind,
            meaning,
            group,
            unit,
            choices,
            least,
            most,
            readonly,
            limit,
            danger,
            secret,
            has_page,
        )
    )


KEYS: tuple[KeyInfo, ...] = (
    _key(
        *(CORE, "AllowOfflineTxForUnknownId", "switch"),
        "While offline, lets cards charge that it does not know. The session is reported later and "
        "may then turn out to be one that should not have been.",
        danger=ANYONE,
    ),
    _key(
        *(CORE, "AuthorizationCacheEnabled", "switch"),
        "Remembers cards that were accepted, so that they start without asking.",
    ),
    _key(
        *(CORE, "AuthorizeRemoteTxRequests", "switch"),
        "Asks whether the id tag may charge before it starts a session that was started from here.",
    ),
    _key(CORE, "BlinkRepeat", "number", "How often its lamp blinks to signal something.", "times"),
    _key(
        *(CORE, "ClockAlignedDataInterval", "number"),
        "Time between two meter readings that are taken at round times of the clock, whether a car "
        "charges or not; 900 means at 0, 15, 30 and 45 minutes past. 0: none.",
        "s",
    ),
    _key(
        *(CORE, "ConnectionTimeOut", "number"),
        "How long it waits for the car after a card was presented or a start was accepted. After "
        "that, the start is void.",
        "s",
        most=86_400,
    ),
    _key(
        *(CORE, "ConnectorPhaseRotation", "list"),
        "How the phases are connected at each connector, as number.order: 0.RST,1.STR. 0 is the "
        "supply of the charger. Load management needs it.",
        limit="ConnectorPhaseRotationMaxLength",
        danger="A wrong order makes load management measure the wrong phase.",
    ),
    _key(
        *(CORE, "ConnectorPhaseRotationMaxLength", "number"),
        "How many entries ConnectorPhaseRotation can have.",
        readonly=True,
    ),
    _key(
        *(CORE, "GetConfigurationMaxKeys", "number"),
        "How many keys can be asked for in one GetConfiguration.",
        readonly=True,
    ),
    _key(
        *(CORE, "HeartbeatInterval", "number"),
        "Time after which it sends a heartbeat if it has nothing else to say. Levity also sends an "
        "interval in its answer to each boot, which usually wins.",
        "s",
        most=86_400,
    ),
    _key(CORE, "LightIntensity", "number", "Brightness of its lamps.", "%", most=100),
    _key(
        *(CORE, "LocalAuthorizeOffline", "switch"),
        "While offline, starts for cards that are in its local list or cache.",
    ),
    _key(
        *(CORE, "LocalPreAuthorize", "switch"),
        "While online, starts at once for cards in its local list or cache, and asks afterwards.",
    ),
    _key(
        *(CORE, "MaxEnergyOnInvalidId", "number"),
        "Energy that a session may still draw after its card turned out to be invalid. 0: none.",
        "Wh",
    ),
    _key(
        *(CORE, "MeterValuesAlignedData", "list"),
        "What is measured at the round times of ClockAlignedDataInterval.",
        choices=MEASURED,
        limit="MeterValuesAlignedDataMaxLength",
    ),
    _key(
        *(CORE, "MeterValuesAlignedDataMaxLength", "number"),
        "How many entries MeterValuesAlignedData can have.",
        readonly=True,
    ),
    _key(
        *(CORE, "MeterValuesSampledData", "list"),
        "What is measured during a session, every MeterValueSampleInterval. "
        "Energy.Active.Import.Register is the one that bills are made of.",
        choices=MEASURED,
        limit="MeterValuesSampledDataMaxLength",
    ),
    _key(
        *(CORE, "MeterValuesSampledDataMaxLength", "number"),
        "How many entries MeterValuesSampledData can have.",
        readonly=True,
    ),
    _key(
        *(CORE, "MeterValueSampleInterval", "number"),
        "Time between two meter readings during a session. 0: none, so that sessions have no "
        "energy until they end.",
        "s",
        most=86_400,
    ),
    _key(
        *(CORE, "MinimumStatusDuration", "number"),
        "How long a status must last before it is reported.",
        "s",
        most=3600,
    ),
    _key(CORE, "NumberOfConnectors", "number", "How many connectors it has.", readonly=True),
    _key(*(CORE, "ResetRetries", "number"), "How often it tries again if a reset fails.", "times"),
    _key(
        *(CORE, "StopTransactionOnEVSideDisconnect", "switch"),
        "Ends the session when the cable is unplugged at the car. If false, the session is only "
        "suspended and goes on when the cable is plugged in again.",
    ),
    _key(
        *(CORE, "StopTransactionOnInvalidId", "switch"),
        "Ends the session if its card turns out to be invalid afterwards.",
    ),
    _key(
        *(CORE, "StopTxnAlignedData", "list"),
        "Which readings at round times are sent again with the end of the session.",
        choices=MEASURED,
        limit="StopTxnAlignedDataMaxLength",
    ),
    _key(
        *(CORE, "StopTxnAlignedDataMaxLength", "number"),
        "How many entries StopTxnAlignedData can have.",
        readonly=True,
    ),
    _key(
        *(CORE, "StopTxnSampledData", "list"),
        "Which readings of the session are sent again with its end.",
        choices=MEASURED,
        limit="StopTxnSampledDataMaxLength",
    ),
    _key(
        *(CORE, "StopTxnSampledDataMaxLength", "number"),
        "How many entries StopTxnSampledData can have.",
        readonly=True,
    ),
    _key(
        *(CORE, "SupportedFeatureProfiles", "list"),
        "Which optional parts of OCPP it has.",
        readonly=True,
    ),
    _key(
        *(CORE, "SupportedFeatureProfilesMaxLength", "number"),
        "How many entries SupportedFeatureProfiles can have.",
        readonly=True,
    ),
    _key(
        *(CORE, "TransactionMessageAttempts", "number"),
        "How often it sends a message about a session that the server has failed to process. With "
        "too few, the end of a session can get lost.",
        "times",
        most=1000,
    ),
    _key(
        *(CORE, "TransactionMessageRetryInterval", "number"),
        "How long it waits before it sends such a message again; the wait grows with each attempt.",
        "s",
        most=86_400,
    ),
    _key(
        *(CORE, "UnlockConnectorOnEVSideDisconnect", "switch"),
        "Unlocks the cable at the charger when it is unplugged at the car.",
    ),
    _key(
        *(CORE, "WebSocketPingInterval", "number"),
        "Time between its websocket pings. 0: none.",
        "s",
        most=86_400,
    ),
    _key(
        *(LISTS, "LocalAuthListEnabled", "switch"),
        "Uses its local list of cards.",
    ),
    _key(
        *(LISTS, "LocalAuthListMaxLength", "number"),
        "How many cards its local list can hold.",
        readonly=True,
    ),
    _key(
        *(LISTS, "SendLocalListMaxLength", "number"),
        "How many cards one SendLocalList can have.",
        readonly=True,
    ),
    _key(
        *(RESERVATION, "ReserveConnectorZeroSupported", "switch"),
        "A reservation can be for any connector of the charger.",
        readonly=True,
    ),
    _key(
        *(CHARGING, "ChargeProfileMaxStackLevel", "number"),
        "The highest stack level of a charging profile, which is also how many there can be of "
        "each kind.",
        readonly=True,
    ),
    _key(
        *(CHARGING, "ChargingScheduleAllowedChargingRateUnit", "list"),
        "In which unit limits can be: Current is A, Power is W.",
        choices=RATE_UNITS,
        readonly=True,
    ),
    _key(
        *(CHARGING, "ChargingScheduleMaxPeriods", "number"),
        "How many periods a charging schedule can have.",
        readonly=True,
    ),
    _key(
        *(CHARGING, "ConnectorSwitch3to1PhaseSupported", "switch"),
        "It can switch from three phases to one during a session.",
        readonly=True,
    ),
    _key(
        *(CHARGING, "MaxChargingProfilesInstalled", "number"),
        "How many charging profiles it can hold.",
        readonly=True,
    ),
    _key(
        *(FIRMWARE, "SupportedFileTransferProtocols", "list"),
        "By which protocols it can fetch firmware and upload files.",
        choices=("FTP", "FTPS", "HTTP", "HTTPS", "SFTP"),
        readonly=True,
    ),
    _key(
        *(SECURITY, "AdditionalRootCertificateCheck", "switch"),
        "Accepts only one root certificate of the operator, and a new one only if the old one has "
        "signed it.",
        readonly=True,
    ),
    _key(
        *(SECURITY, "AuthorizationKey", "text"),
        "The key with which it proves who it is, as hexadecimal digits. Change it under "
        "“Security”, where Levity generates it and learns it at the same time.",
        danger="With another key than Levity knows, the charger can't connect any more.",
        secret=True,
        has_page=True,
    ),
    _key(
        *(SECURITY, "CertificateSignedMaxChainSize", "number"),
        "How long the certificate chain may be that is sent to it.",
        "bytes",
        readonly=True,
    ),
    _key(
        *(SECURITY, "CertificateStoreMaxLength", "number"),
        "How many root certificates it can hold.",
        readonly=True,
    ),
    _key(
        *(SECURITY, "CpoName", "text"),
        "The organisation in the certificates that it asks for.",
        danger="Certificates with another organisation may be refused.",
    ),
    _key(
        *(SECURITY, "SecurityProfile", "choice"),
        "How it connects: 0 open, 1 with a key, 2 with a key over TLS, 3 with a certificate over "
        "TLS. It can only be raised; do that under “Security”.",
        choices=("0", "1", "2", "3"),
        danger="If the charger can't connect with the new profile, it stays away.",
        has_page=True,
    ),
)
"""All of the standard, by feature profile."""

_BY_NAME: Mapping[str, KeyInfo] = {info.key.lower(): info for info in KEYS}

AFTER_BOOT: tuple[str, ...] = (
    *("NumberOfConnectors", "SupportedFeatureProfiles", "GetConfigurationMaxKeys"),
    *("HeartbeatInterval", "MeterValueSampleInterval", "MeterValuesSampledData"),
    *("MeterValuesSampledDataMaxLength", "ClockAlignedDataInterval", "StopTxnSampledData"),
    *("TransactionMessageAttempts", "TransactionMessageRetryInterval", "ConnectionTimeOut"),
    *("StopTransactionOnInvalidId", "LocalAuthListEnabled", "LocalAuthListMaxLength"),
    *("SendLocalListMaxLength", "ChargingScheduleAllowedChargingRateUnit"),
    *("ChargeProfileMaxStackLevel", "ChargingScheduleMaxPeriods"),
)
"""The keys by which it is decided what can be asked of a charger."""

RECOMMENDED: Mapping[str, str] = {
    "MeterValueSampleInterval": "60",
    "MeterValuesSampledData": "Energy.Active.Import.Register,Power.Active.Import",
    "TransactionMessageAttempts": "10",
    "TransactionMessageRetryInterval": "60",
    "StopTransactionOnEVSideDisconnect": "true",
    "UnlockConnectorOnEVSideDisconnect": "true",
}
"""Good for most: the energy of each session once a minute, and no end of a session gets lost."""

# Words in vendors' keys on which a charger's way to us depends.
_WAYS = (
    *("url", "uri", "server", "backend", "backoffice", "endpoint", "centralsystem", "csms"),
    *("chargepointid", "chargeboxid", "identity", "websocket", "ocppversion", "proxy"),
)
_NETWORK = (
    *("ssid", "wifi", "wlan", "apn", "simpin", "ethernet", "ipaddress", "gateway", "netmask"),
    *("subnet", "dhcp", "dns", "network", "cellular", "modem"),
)
_POWER = ("maxcurrent", "currentlimit", "powerlimit", "maxpower", "breaker", "fuse", "ratedcurrent")


def about(key: str) -> KeyInfo | None:
    """What the standard says of this key, in any case; None for a vendor's own."""
    return _BY_NAME.get(key.strip().lower())


def danger(key: str) -> str:
    """What can go wrong when this key is changed; empty: nothing much, as far as is known."""
    info = about(key)
    if info is not None:
        return info.danger
    plain = "".join(filter(str.isalnum, key.lower()))
    if any(word in plain for word in _WAYS):
        return (
            "By its name it says where or how the charger connects. With a wrong value the charger "
            "can't be reached from here any more, only on the spot."
        )
    if any(word in plain for word in _NETWORK):
        return (
            "By its name it is about the charger's network. With a wrong value the charger is cut "
            "off and can only be reached on the spot."
        )
    if any(word in plain for word in _POWER):
        return (
            "By its name it limits the current. More than the installation can carry trips a fuse, "
            "or worse."
        )
    if is_secret(key):
        return "It is a secret: it is not shown again, and can't be compared."
    return ""


def ask(keys: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Tell how these keys are configured; all, if none is named (5.8)."""
    return "GetConfiguration", {"key": list(keys)} if keys else {}


def put(key: str, value: str) -> tuple[str, dict[str, Any]]:
    """Set this key to this value (5.3)."""
    return CHANGE, {"key": key, "value": value}
