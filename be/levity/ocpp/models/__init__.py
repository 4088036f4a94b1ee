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
from levity.ocpp.models.charging_profile import InstalledProfile
from levity.ocpp.models.command import Command
from levity.ocpp.models.configuration import (
    ConfigurationChange,
    ConfigurationKey,
    ConfigurationState,
    ConfigurationTemplate,
    TemplateAssignment,
)
from levity.ocpp.models.file_job import FileJob
from levity.ocpp.models.id_tag import IdTag
from levity.ocpp.models.installation import Installation
from levity.ocpp.models.installed_certificate import InstalledCertificate
from levity.ocpp.models.local_list import LocalList
from levity.ocpp.models.mass_command import MassCommand
from levity.ocpp.models.message import ConnectionEvent, Message
from levity.ocpp.models.message_block import BlockTerm, MessageBlock
from levity.ocpp.models.meter_key import MeterKey
from levity.ocpp.models.request_key import RequestKey
from levity.ocpp.models.reservation import Reservation
from levity.ocpp.models.samples import (
    LegacySample,
    MeterValue,
    MeterValueCorrection,
    SampleShape,
    SampleTrace,
)
from levity.ocpp.models.security import AuthFailure, Credential, RefusedHandshake
from levity.ocpp.models.session_hour import ChangedSession, SessionHour
from levity.ocpp.models.transaction import (
    DEMO,
    IMPLAUSIBLE,
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
    "IMPLAUSIBLE",
    "IN_TOTALS",
    "PLAUSIBLE",
    "AuditEntry",
    "AuthFailure",
    "Authorization",
    "BlockTerm",
    "CertificateAuthority",
    "ChangedSession",
    "ChargePoint",
    "ChargePointCertificate",
    "Command",
    "ConfigurationChange",
    "ConfigurationKey",
    "ConfigurationState",
    "ConfigurationTemplate",
    "ConnectionEvent",
    "Connector",
    "Credential",
    "Edge",
    "FailedMessage",
    "FileJob",
    "FrameAttempt",
    "IdTag",
    "Installation",
    "InstalledCertificate",
    "InstalledProfile",
    "LegacySample",
    "LocalList",
    "MassCommand",
    "Message",
    "MessageBlock",
    "MeterKey",
    "MeterValue",
    "MeterValueCorrection",
    "MissedChange",
    "QuarantinedMessage",
    "RefusedHandshake",
    "RequestKey",
    "Reservation",
    "SampleShape",
    "SampleTrace",
    "SecurityEvent",
    "SecurityProfile",
    "SessionHour",
    "SessionRepair",
    "Site",
    "StatusEvent",
    "TemplateAssignment",
    "Transaction",
    "TransactionAlias",
    "UnassignedEnergy",
]
