"""The certificate authority itself: made, replaced by another, and the list of what it revoked.

Its key is needed for that list and to sign; no other process has to have it.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from levity.ocpp.audit import Who, note
from levity.ocpp.deciding import NotAllowed, NotPossible
from levity.ocpp.decisions.authority.key_file import (
    KeyUnavailable,
    key_path,
    new_key,
    read_key,
    write_key,
)
from levity.ocpp.decisions.authority.signing import (
    Revoked,
    fits,
    revocation_list,
    root,
)
from levity.ocpp.models import (
    CertificateAuthority,
    ChargePointCertificate,
)

__all__ = [
    "AuthorityError",
    "create_authority",
    "current_authority",
    "key_of",
    "make_revocation_list",
    "replaced_authorities",
]


class AuthorityError(NotPossible):
    """The authority can't be made or used; the text says why, for people."""


def current_authority() -> CertificateAuthority | None:
    """The one in use."""
    return CertificateAuthority.objects.filter(replaced_at=None).order_by("-pk").first()


def replaced_authorities(now: datetime) -> list[CertificateAuthority]:
    """Those before it whose certificates chargers may still have, the newest first."""
    rows = CertificateAuthority.objects.filter(replaced_at__isnull=False, not_after__gt=now)
    return list(rows.order_by("-pk"))


def create_authority(
    organization: str, days: int, now: datetime, who: Who = None, *, replace: bool = False
) -> CertificateAuthority:
    """Make a key and a certificate; with `replace`, in the place of those there are.

    The old key is kept beside the new one: it can still say what it has revoked. Raises
    `AuthorityError`.
    """
    if who is not None and not who.is_superuser:
        raise NotAllowed("only a superuser, or the command line, can create an authority")
    path, old = key_path(), current_authority()
    if old is not None and not replace:
        raise AuthorityError(f"there already is an authority: {old}")
    # Written whole before anything is changed: a full disk must not cost the old one.
    fresh = path.with_name(f"{path.name}.new")
    key = new_key()
    made = root(key, organization, days, now)
    try:
        write_key(key, fresh)
    except FileExistsError as error:
        raise AuthorityError(f"{fresh} already exists: move it away first") from error
    except OSError as error:
        raise AuthorityError(f"{fresh} can't be written ({error.strerror})") from error
    try:
        with transaction.atomic():
            if old is not None:
                _replace(old, now)
            row = CertificateAuthority.objects.create(
                organization=organization,
                certificate=made.pem,
                fingerprint=made.fingerprint,
                not_before=made.not_before,
                not_after=made.not_after,
                created_at=now,
            )
            note(who, [row], f"created, replacing {old}" if old else "created")
            _make_room(path, old)
            fresh.rename(path)
    except OSError as error:
        raise AuthorityError(f"{path} can't be replaced ({error.strerror})") from error
    finally:
        fresh.unlink(missing_ok=True)
    return row


def _make_room(path: Path, old: CertificateAuthority | None) -> None:
    """Put the key of `old` aside; what lies there else is nobody's to move."""
    if not path.exists():
        return
    if old is None or _aside(path, old).exists():
        raise AuthorityError(f"{path} already exists: move it away first")
    path.rename(_aside(path, old))


def _aside(path: Path, authority: CertificateAuthority) -> Path:
    return path.with_name(f"{path.name}.{authority.fingerprint[:16]}")


def _replace(old: CertificateAuthority, now: datetime) -> None:
    mine = CertificateAuthority.objects.filter(pk=old.pk, replaced_at=None)
    if not mine.update(replaced_at=now):
        raise AuthorityError("it was replaced by someone else at the same time")


def make_revocation_list(authority: CertificateAuthority, days: int, now: datetime) -> str:
    """The list of what this authority has revoked, PEM. Raises `KeyUnavailable`."""
    rows = ChargePointCertificate.objects.filter(
        authority=authority, revoked_at__isnull=False, not_after__gt=now
    ).order_by("pk")
    columns = rows.values_list("serial_number", "revoked_at", "revocation_reason")
    revoked = [Revoked(str(serial), at, reason) for serial, at, reason in columns if at]
    return revocation_list(authority.certificate, key_of(authority), revoked, days, now)


def key_of(authority: CertificateAuthority) -> Any:
    """Its private key. Raises `KeyUnavailable`."""
    path = key_path()
    aside = _aside(path, authority)
    # Also if it is the one in use: where the replacing broke off in its last step, it is there.
    if authority.replaced_at is not None or aside.exists():
        path = aside
    key = read_key(path)
    if not fits(key, authority.certificate):
        raise KeyUnavailable(f"{path} is not the key of {authority}")
    return key
