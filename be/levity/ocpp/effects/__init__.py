"""What a handler wants to have happened, in the words of the domain; `store.apply` does it.

The same for every OCPP version. All are values: frozen, comparable, without behaviour. Energy is
in Wh and power in W, as Decimal; times are aware datetimes in UTC.
"""

from levity.ocpp.effects.charge_points import (
    ASK_FOR_BOOT,
    AUTOMATIC,
    LEARNED_INTERVAL,
    ConnectorStatus,
    FileAnswered,
    FileAsked,
    FileReported,
    FirmwareChanged,
    LookAgain,
    NoteSecurityEvent,
    ResetConnectors,
    SendCall,
    UpdateChargePoint,
)
from levity.ocpp.effects.kept import (
    CertificateHash,
    CertificateInstalled,
    CertificateRefused,
    ChargingProfileInstalled,
    ChargingProfilesCleared,
    ConfigurationChanged,
    ConfigurationRead,
    KeyAccepted,
    KeyRefused,
    LocalListAnswered,
    LocalListVersion,
    ProfileAccepted,
    ReportedKey,
    RequestCertificate,
    ReservationAnswered,
    ReservationCancelled,
    ReservationUsed,
    RootCertificateAnswered,
    RootCertificateDeleted,
    RootCertificatesReported,
)
from levity.ocpp.effects.sessions import (
    BY_BOOT,
    NO_SUCH_TRANSACTION,
    AdjustTransaction,
    Quarantine,
    RecordIdTag,
    RecordMeterValues,
    RefuseIdTag,
    ResolveQuarantined,
    Sample,
    StartTransaction,
    StopTransaction,
    UpdateTransaction,
)

__all__ = [
    "ASK_FOR_BOOT",
    "AUTOMATIC",
    "BY_BOOT",
    "LEARNED_INTERVAL",
    "NO_SUCH_TRANSACTION",
    "AdjustTransaction",
    "CertificateHash",
    "CertificateInstalled",
    "CertificateRefused",
    "ChargingProfileInstalled",
    "ChargingProfilesCleared",
    "ConfigurationChanged",
    "ConfigurationRead",
    "ConnectorStatus",
    "Effect",
    "FileAnswered",
    "FileAsked",
    "FileReported",
    "FirmwareChanged",
    "KeyAccepted",
    "KeyRefused",
    "LocalListAnswered",
    "LocalListVersion",
    "LookAgain",
    "NoteSecurityEvent",
    "ProfileAccepted",
    "Quarantine",
    "RecordIdTag",
    "RecordMeterValues",
    "RefuseIdTag",
    "ReportedKey",
    "RequestCertificate",
    "ReservationAnswered",
    "ReservationCancelled",
    "ReservationUsed",
    "ResetConnectors",
    "ResolveQuarantined",
    "RootCertificateAnswered",
    "RootCertificateDeleted",
    "RootCertificatesReported",
    "Sample",
    "SendCall",
    "StartTransaction",
    "StopTransaction",
    "UpdateChargePoint",
    "UpdateTransaction",
]


Effect = (
    UpdateChargePoint
    | AdjustTransaction
    | ResetConnectors
    | ConnectorStatus
    | StartTransaction
    | StopTransaction
    | UpdateTransaction
    | RecordMeterValues
    | RecordIdTag
    | RefuseIdTag
    | SendCall
    | LookAgain
    | Quarantine
    | ResolveQuarantined
    | NoteSecurityEvent
    | RequestCertificate
    | KeyAccepted
    | KeyRefused
    | ProfileAccepted
    | CertificateInstalled
    | CertificateRefused
    | ConfigurationRead
    | ConfigurationChanged
    | FileAnswered
    | FileReported
    | FirmwareChanged
    | LocalListAnswered
    | LocalListVersion
    | ChargingProfileInstalled
    | ChargingProfilesCleared
    | RootCertificateAnswered
    | RootCertificateDeleted
    | RootCertificatesReported
    | ReservationAnswered
    | ReservationCancelled
    | ReservationUsed
)
