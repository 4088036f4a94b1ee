"""Certificates that chargers trust: given to them, reported by them, deleted.

No statement in a batch that has nothing about one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from levity.db.prepared import Prepared
from levity.db.rows import insert_rows, update_rows
from levity.ocpp.effects import (
    CertificateHash,
    RootCertificateAnswered,
    RootCertificateDeleted,
    RootCertificatesReported,
)
from levity.ocpp.models import InstalledCertificate
from levity.ocpp.store.certificate_hashes import read_certificate
from levity.ocpp.store.values import Outcome, each

__all__ = ["write_root_certificates"]

State = InstalledCertificate.State
Told = RootCertificateAnswered | RootCertificatesReported | RootCertificateDeleted


@dataclass(slots=True)
class _Known:
    """A certificate that the charger has, or had."""

    id: int
    charge_point_id: int
    type: str
    algorithm: str
    issuer_name: str
    issuer_key: str
    serial_number: str
    certificate: str
    state: str

    def is_named(self, named: CertificateHash) -> bool:
        """True if a charger means this one by these hashes, in whichever algorithm."""
        if not same_number(self.serial_number, named.serial_number):
            return False
        if self.certificate and self.algorithm != named.algorithm:
            read = read_certificate(self.certificate, named.algorithm)
            return read is None or read.hash.issuer_name == named.issuer_name
        return self.issuer_name in ("", named.issuer_name)


def same_number(one: str, other: str) -> bool:
    """True if these are one serial number: some write a zero in front."""
    return one.lower().lstrip("0") == other.lower().lstrip("0")


def write_root_certificates(outcomes: Sequence[Outcome]) -> None:
    """Write what chargers said of them. Of one charge point there is one answer in a batch."""
    told: list[tuple[int, datetime, Told]] = []
    for outcome, charge_point, answered in each(outcomes, RootCertificateAnswered):
        told.append((charge_point.id, outcome.arrival.at, answered))
    for outcome, charge_point, reported in each(outcomes, RootCertificatesReported):
        told.append((charge_point.id, outcome.arrival.at, reported))
    for outcome, charge_point, deleted in each(outcomes, RootCertificateDeleted):
        told.append((charge_point.id, outcome.arrival.at, deleted))
    if not told:
        return
    known: dict[int, list[_Known]] = {}
    for row in _KNOWN.rows(sorted({pk for pk, _, _ in told})):
        known.setdefault(row[1], []).append(_Known(*row))
    work = _Work([], [], [])
    for pk, at, effect in told:
        mine = known.get(pk, [])
        if isinstance(effect, RootCertificateAnswered):
            _answered(work, pk, at, effect, mine)
        elif isinstance(effect, RootCertificatesReported):
            _reported(work, pk, at, effect, mine)
        else:
            gone = State.DELETED if effect.said == "Accepted" else State.MISSING
            work.ended += [
                (item.id, gone.value, effect.said, at)
                for item in mine
                if item.state == State.INSTALLED and item.is_named(effect.hash)
            ]
    update_rows(InstalledCertificate, ("id", "state", "said", "ended_at"), work.ended)
    update_rows(InstalledCertificate, ("id", *SEEN), work.seen)
    insert_rows(InstalledCertificate, COLUMNS, work.fresh)


@dataclass(slots=True)
class _Work:
    ended: list[tuple[Any, ...]]
    seen: list[tuple[Any, ...]]
    fresh: list[tuple[Any, ...]]


SEEN = (
    *("hash_algorithm", "issuer_name_hash", "issuer_key_hash", "serial_number", "state"),
    *("reported_at", "ended_at"),
)
COLUMNS = (
    *("charge_point_id", "command_id", "type", "hash_algorithm", "issuer_name_hash"),
    *("issuer_key_hash", "serial_number", "subject", "not_after", "certificate", "state", "said"),
    *("installed_at", "reported_at", "ended_at"),
)


def _answered(
    work: _Work, pk: int, at: datetime, effect: RootCertificateAnswered, mine: Sequence[_Known]
) -> None:
    read = read_certificate(effect.certificate, "SHA256")
    named = read.hash if read else CertificateHash("", "", "", "")
    if effect.is_accepted:
        # Installed once more: one row.
        work.ended += [
            (item.id, State.DELETED.value, "installed again", at)
            for item in mine
            if item.state == State.INSTALLED
            and read
            and item.type == effect.type
            and item.is_named(named)
        ]
    state = State.INSTALLED if effect.is_accepted else State.REFUSED
    work.fresh.append(
        (
            *(pk, effect.command_id, effect.type, named.algorithm, named.issuer_name),
            *(named.issuer_key, named.serial_number, read.subject[:255] if read else ""),
            *(read.not_after if read else None, effect.certificate, state.value, effect.said),
            *(at if effect.is_accepted else None, None, None if effect.is_accepted else at),
        )
    )


def _reported(
    work: _Work, pk: int, at: datetime, effect: RootCertificatesReported, mine: Sequence[_Known]
) -> None:
    left = [item for item in mine if item.type == effect.type]
    for named in effect.hashes:
        found = next((item for item in reversed(left) if item.is_named(named)), None)
        if found is None:
            # One that can't be read here, but was taken.
            nameless = (item for item in left if not item.serial_number)
            found = next((item for item in nameless if item.state == State.INSTALLED), None)
        hashes = named.algorithm, named.issuer_name, named.issuer_key, named.serial_number
        if found is None:
            work.fresh.append(
                (
                    *(pk, None, effect.type, *hashes, "", None, "", State.INSTALLED.value, ""),
                    *(None, at, None),
                )
            )
        else:
            left.remove(found)
            work.seen.append((found.id, *hashes, State.INSTALLED.value, at, None))
    work.ended += [
        (item.id, State.MISSING.value, "not reported", at)
        for item in left
        if item.state == State.INSTALLED
    ]


_KNOWN = Prepared(
    lambda charge_points: (
        InstalledCertificate.objects.filter(charge_point__any_of=charge_points)
        .exclude(state__in=("refused", "deleted"))
        .order_by("id")
        .values_list(
            *("id", "charge_point_id", "type", "hash_algorithm", "issuer_name_hash"),
            *("issuer_key_hash", "serial_number", "certificate", "state"),
        )
    )
)
