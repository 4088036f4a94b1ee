"""What charge points keep, as their answers tell it: configuration, keys, certificates,
reservations, local lists and charging profiles.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from levity_ws.frozen import frozen

__all__ = [
    "CertificateHash",
    "CertificateInstalled",
    "CertificateRefused",
    "ChargingProfileInstalled",
    "ChargingProfilesCleared",
    "ConfigurationChanged",
    "ConfigurationRead",
    "KeyAccepted",
    "KeyRefused",
    "LocalListAnswered",
    "LocalListVersion",
    "ProfileAccepted",
    "ReportedKey",
    "RequestCertificate",
    "ReservationAnswered",
    "ReservationCancelled",
    "ReservationUsed",
    "RootCertificateAnswered",
    "RootCertificateDeleted",
    "RootCertificatesReported",
]


@frozen
class RequestCertificate:
    """The charger wants a certificate for its own key; our authority may sign it.

    It waits for a person's approval unless it `is_approved`. It replaces one that waits.
    """

    csr: str
    """PEM."""
    key_kind: str
    key_fingerprint: str
    is_approved: bool = False
    trigger: int | None = None
    """The command that asked the charger for it."""


@frozen
class KeyAccepted:
    """The charger has taken the key that this command of ours gave it: the old one is void."""

    command_id: int


@frozen
class KeyRefused:
    """The charger keeps its key: the one that this command of ours gave it is void."""

    command_id: int


@frozen
class ProfileAccepted:
    """The charger is going to connect with this security profile."""

    profile: int


@frozen
class ReportedKey:
    """A configuration key as the charger reported it; the value of a secret one is masked."""

    key: str
    value: str | None
    readonly: bool | None = None
    """None: not told."""
    note: str = ""
    """What was unusual about it, for people."""


@frozen
class ConfigurationRead:
    """The charger has told how it is configured."""

    keys: tuple[ReportedKey, ...]
    """Each once."""
    unknown: tuple[str, ...] = ()
    """Keys that it says it does not have."""
    is_all: bool = False
    """It was asked for all of its keys."""


@frozen
class ConfigurationChanged:
    """The charger has answered to a change of a configuration key that we asked for."""

    command_id: int
    key: str
    value: str
    """Masked, if it is secret."""
    said: str
    """The status or the error code of its answer."""
    is_taken: bool
    after_reboot: bool = False
    """It is taken, but counts from the charger's next boot on only."""


@frozen
class CertificateInstalled:
    """The charger has taken the certificate that this command of ours brought."""

    command_id: int


@frozen
class CertificateRefused:
    """The charger has not taken the certificate that this command of ours brought."""

    command_id: int
    said: str
    """A status or an error code; empty for neither."""


@frozen
class ReservationAnswered:
    """What the charger said when this command of ours was to reserve a connector."""

    command_id: int
    number: int
    connector: int
    """0: any of them."""
    id_tag: str
    parent: str
    until: datetime | None
    is_accepted: bool
    said: str
    """A status or an error code."""


@frozen
class ReservationCancelled:
    """What the charger said when this reservation was to be cancelled."""

    number: int
    is_accepted: bool
    said: str


@frozen
class ReservationUsed:
    """A session has begun that this reservation was for."""

    number: int
    transaction_id: int


@frozen
class LocalListAnswered:
    """What the charger said to entries of its local list."""

    command_id: int
    version: int
    """Of the list, if it has accepted them."""
    said: str
    """A status or an error code."""
    is_accepted: bool
    is_supported: bool = True
    is_mismatch: bool = False
    """Its list has another version than we thought."""


@frozen
class LocalListVersion:
    """Which version the charger's local list has: -1 if it keeps none, 0 for an empty one."""

    command_id: int
    version: int | None
    """None: it did not say."""
    said: str = ""
    """An error code."""
    is_supported: bool = True


@frozen
class ChargingProfileInstalled:
    """The charger has taken this charging profile."""

    command_id: int
    connector: int
    profile_id: int
    stack_level: int
    purpose: str
    kind: str
    recurrency: str
    valid_from: datetime | None
    valid_to: datetime | None
    session: int | None
    """The transactionId that it is for."""
    schedule: Mapping[str, Any]
    """As it was sent."""


@frozen
class ChargingProfilesCleared:
    """The charger has none of these charging profiles any more: all that fit the filters."""

    profile_id: int | None
    connector: int | None
    purpose: str | None
    stack_level: int | None
    said: str
    """Whether it had any."""


@frozen
class CertificateHash:
    """By what a charger names a certificate; no effect by itself. Hexadecimal in small letters."""

    algorithm: str
    issuer_name: str
    issuer_key: str
    serial_number: str


@frozen
class RootCertificateAnswered:
    """Whether the charger trusts this authority's certificate now."""

    command_id: int
    type: str
    certificate: str
    """PEM."""
    said: str
    is_accepted: bool


@frozen
class RootCertificatesReported:
    """The charger has these certificates of this type, and no others."""

    type: str
    hashes: tuple[CertificateHash, ...]


@frozen
class RootCertificateDeleted:
    """The charger does not have this certificate any more."""

    hash: CertificateHash
    said: str
