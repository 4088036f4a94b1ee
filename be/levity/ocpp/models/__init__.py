"""The tables. Version-neutral: OCPP 1.6 and 2.x write the same rows.

Times come in pairs: what the charger said, and when it reached us; all UTC. What a charger
invents (a status, a unit, a measurand) is kept as text.
"""

from levity.ocpp.models.alias import TransactionAlias
from levity.ocpp.models.audit import AuditEntry
from levity.ocpp.models.certificate import CertificateAuthority, ChargePointCertificate
from levity.ocpp.models.charge_point import (
    Authorization,
    ChargePoint,
    Connector,
    Edge,
    SecurityProfile,
    Site,
    StatusEvent,
)
from levity.ocpp.models.command import Command
from levity.ocpp.models.id_tag import IdTag
from levity.ocpp.models.installation import Installation
from levity.ocpp.models.message import ConnectionEvent, Message
from levity.ocpp.models.message_block import BlockTerm, MessageBlock
from levity.ocpp.models.samples import (
    LegacySample,
    MeterValue,
    MeterValueCorrection,
    SampleShape,
    SampleTrace,
)
from levity.ocpp.models.security import AuthFailure, Credential, RefusedHandshake
from levity.ocpp.models.transaction import (
    DEMO,
    IN_TOTALS,
    PLAUSIBLE,
    SessionRepair,
    Transaction,
)
from levity.ocpp.models.trouble import (
    FailedMessage,
    FrameAttempt,
    MissedChange,
    QuarantinedMessage,
    SecurityEvent,
)
from levity.ocpp.models.unassigned import UnassignedEnergy

__all__ = [
    "DEMO",
    "IN_TOTALS",
    "PLAUSIBLE",
    "AuditEntry",
    "AuthFailure",
    "Authorization",
    "BlockTerm",
    "CertificateAuthority",
    "ChargePoint",
    "ChargePointCertificate",
    "Command",
    "ConnectionEvent",
    "Connector",
    "Credential",
    "Edge",
    "FailedMessage",
    "FrameAttempt",
    "IdTag",
    "Installation",
    "LegacySample",
    "Message",
    "MessageBlock",
    "MeterValue",
    "MeterValueCorrection",
    "MissedChange",
    "QuarantinedMessage",
    "RefusedHandshake",
    "SampleShape",
    "SampleTrace",
    "SecurityEvent",
    "SecurityProfile",
    "SessionRepair",
    "Site",
    "StatusEvent",
    "Transaction",
    "TransactionAlias",
    "UnassignedEnergy",
]
