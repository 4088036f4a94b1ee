"""Messages on request, diagnostics, logs, firmware."""

from levity.ocpp.call_forms import CallForm, Field, Kind

__all__ = ["DIAGNOSTICS"]

GROUP = "Diagnostics and firmware"
# OCPP 1.6, 7.8 and 5.17: what a charger may be asked for; and the security whitepaper.
TRIGGERS = (
    ("StatusNotification", "status of the connectors"),
    ("MeterValues", "meter values"),
    ("BootNotification", "who it is (boot notification)"),
    ("Heartbeat", "a sign of life (heartbeat)"),
    ("DiagnosticsStatusNotification", "how far an upload of diagnostics is"),
    ("FirmwareStatusNotification", "how far a firmware update is"),
)
MORE_TRIGGERS = (
    *TRIGGERS[:4],
    ("LogStatusNotification", "how far an upload of a log is"),
    ("FirmwareStatusNotification", "how far a firmware update is"),
    ("SignChargePointCertificate", "a request for a new certificate"),
)
RETRIES = (
    Field(
        "retries",
        "Further attempts",
        Kind.WHOLE,
        "How often the charger tries again. Empty: the charger decides.",
        required=False,
        least=0,
        most=100,
    ),
    Field(
        "retryInterval",
        "Time between attempts",
        Kind.WHOLE,
        required=False,
        unit="s",
        least=0,
        most=86_400,
    ),
)
REQUEST = Field(
    "requestId",
    "Number of the request",
    Kind.WHOLE,
    "The charger's status messages name it.",
    least=0,
    most=2_147_483_647,
    default=1,
)
ANY_CONNECTOR = Field(
    "connectorId", "Connector", Kind.CONNECTOR, required=False, nothing="all connectors"
)

DIAGNOSTICS = (
    CallForm(
        "trigger",
        "Ask for a message",
        GROUP,
        "TriggerMessage",
        "The charger sends this message now.",
        (
            Field(
                "requestedMessage",
                "Message",
                Kind.CHOICE,
                choices=TRIGGERS,
                default="StatusNotification",
            ),
            ANY_CONNECTOR,
        ),
        words="trigger status meter boot heartbeat",
    ),
    CallForm(
        "extended-trigger",
        "Ask for a message (security extension)",
        GROUP,
        "ExtendedTriggerMessage",
        "For chargers with the security extension: asks for messages about logs and certificates, "
        "too.",
        (
            Field(
                "requestedMessage",
                "Message",
                Kind.CHOICE,
                choices=MORE_TRIGGERS,
                default="StatusNotification",
            ),
            ANY_CONNECTOR,
        ),
        words="extended trigger certificate log",
    ),
    CallForm(
        "diagnostics",
        "Diagnostics to an address of yours",
        GROUP,
        "GetDiagnostics",
        "The charger uploads a file to this address.",
        (
            Field(
                "location",
                "Upload to",
                help="A folder at ftp:// or https://, with user and password if it needs them.",
                longest=2000,
                example="ftp://files.example.com/diagnostics/",
            ),
            Field("startTime", "Entries from", Kind.MOMENT, required=False),
            Field("stopTime", "Entries until", Kind.MOMENT, required=False),
            *RETRIES,
        ),
        words="log file upload ftp",
    ),
    CallForm(
        "log",
        "Log to an address of yours (security extension)",
        GROUP,
        "GetLog",
        "The charger uploads its diagnostics or its security log to this address.",
        (
            Field(
                "logType",
                "Log",
                Kind.CHOICE,
                choices=(("DiagnosticsLog", "diagnostics"), ("SecurityLog", "security events")),
                default="DiagnosticsLog",
            ),
            REQUEST,
            Field(
                "log.remoteLocation",
                "Upload to",
                help="A folder at ftp:// or https://.",
                longest=512,
                example="https://files.example.com/logs/",
            ),
            Field("log.oldestTimestamp", "Entries from", Kind.MOMENT, required=False),
            Field("log.latestTimestamp", "Entries until", Kind.MOMENT, required=False),
            *RETRIES,
        ),
        words="security log upload",
    ),
    CallForm(
        "firmware",
        "Firmware from an address of yours",
        GROUP,
        "UpdateFirmware",
        "The charger downloads this file and installs it. It restarts, and may end running "
        "sessions.",
        (
            Field(
                "location",
                "Download from",
                help="The file at ftp:// or https://.",
                longest=2000,
                example="https://files.example.com/firmware.bin",
            ),
            Field("retrieveDate", "Not before", Kind.MOMENT, default=0),
            *RETRIES,
        ),
        is_dangerous=True,
        words="upgrade software",
    ),
    CallForm(
        "signed-firmware",
        "Update signed firmware (security extension)",
        GROUP,
        "SignedUpdateFirmware",
        "The charger downloads this file, checks the signature and installs it.",
        (
            REQUEST,
            Field(
                "firmware.location",
                "Download from",
                help="The file at ftp:// or https://.",
                longest=512,
                example="https://files.example.com/firmware.bin",
            ),
            Field("firmware.retrieveDateTime", "Not before", Kind.MOMENT, default=0),
            Field("firmware.installDateTime", "Install at", Kind.MOMENT, required=False),
            Field(
                "firmware.signingCertificate",
                "Certificate of the signer",
                Kind.LONG_TEXT,
                "PEM, as the maker of the firmware gives it.",
                longest=5500,
                example="-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----",
            ),
            Field(
                "firmware.signature",
                "Signature",
                Kind.LONG_TEXT,
                "Base64, as the maker of the firmware gives it.",
                longest=800,
                example="MEUCIQ…",
            ),
            *RETRIES,
        ),
        is_dangerous=True,
        words="upgrade software",
    ),
)
