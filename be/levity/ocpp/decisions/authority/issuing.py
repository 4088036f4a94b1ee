"""From a charger's request to its certificate, and to its end:

asked for -> approved | declined | superseded | expired
          -> signed -> sent (CertificateSigned) -> installed | refused -> renewed | revoked

Web pages only decide. The key is needed where the housekeeping of a worker signs what is approved,
and for the list of what is revoked; no other process has to have it.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from levity.ocpp.audit import Who, note
from levity.ocpp.chargers.security.certificates import CertificateError, read_csr
from levity.ocpp.commands.lifecycle import queue
from levity.ocpp.conf import setting
from levity.ocpp.deciding import NotAllowed, NotPossible, check
from levity.ocpp.decisions.authority.key_file import (
    KeyUnavailable,
    key_path,
    new_key,
    read_key,
    write_key,
)
from levity.ocpp.decisions.authority.signing import (
    Issued,
    Revoked,
    fits,
    issued,
    revocation_list,
    root,
)
from levity.ocpp.models import (
    CertificateAuthority,
    ChargePoint,
    ChargePointCertificate,
    Command,
)
from levity.ocpp.versions import version_of

__all__ = [
    "AuthorityError",
    "CannotDecide",
    "approve",
    "create_authority",
    "current_authority",
    "decline",
    "forget_undecided",
    "make_revocation_list",
    "renew",
    "replaced_authorities",
    "request_certificate",
    "revoke",
    "send_again",
    "sign_approved",
]

log = logging.getLogger(__name__)

CHANGE = "ocpp.change_chargepointcertificate"
CHANGE_KEY = "ocpp.change_credential"
AT_ONCE = 100
DECIDED_WITHIN = timedelta(days=7)
"""A request that nobody has decided by then is over: its charger has long asked again."""
SEND_WITHIN = timedelta(days=7)
"""For so long a certificate waits for a charger that is away."""
ASK_WITHIN = timedelta(days=1)
SOURCE = "certificate authority"
KEY = "renew certificate "
State = ChargePointCertificate.State


class AuthorityError(NotPossible):
    """The authority can't be made or used; the text says why, for people."""


class CannotDecide(NotPossible):
    """Not possible as things are; the text says why."""


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
    return revocation_list(authority.certificate, _key_of(authority), revoked, days, now)


def _key_of(authority: CertificateAuthority) -> Any:
    path = key_path()
    aside = _aside(path, authority)
    # Also if it is the one in use: where the replacing broke off in its last step, it is there.
    if authority.replaced_at is not None or aside.exists():
        path = aside
    key = read_key(path)
    if not fits(key, authority.certificate):
        raise KeyUnavailable(f"{path} is not the key of {authority}")
    return key


def approve(row: ChargePointCertificate, who: Who) -> None:
    """Let it be signed."""
    _decide(row, State.APPROVED, who)


def decline(row: ChargePointCertificate, who: Who) -> None:
    """It is never signed. The charger hears nothing of it, as the whitepaper has it."""
    _decide(row, State.DECLINED, who)


def _decide(row: ChargePointCertificate, state: str, who: Who) -> None:
    check(row, who, CHANGE)
    with transaction.atomic():
        # Only if it still waits: another charger's request may have come in between.
        changed = ChargePointCertificate.objects.filter(pk=row.pk, state=State.WAITING).update(
            state=state, decided_at=timezone.now(), decided_by=who
        )
        if not changed:
            raise CannotDecide("it is no longer waiting")
        word = "approved" if state == State.APPROVED else "declined"
        note(who, [row], word, {"state": str(State.WAITING)}, {"state": str(state)})


def revoke(row: ChargePointCertificate, reason: str, who: Who) -> None:
    """From the next handshake on it is good for nothing. This can't be taken back."""
    check(row, who, CHANGE)
    good = ChargePointCertificate.objects.filter(pk=row.pk, revoked_at__isnull=True)
    with transaction.atomic():
        changed = good.exclude(serial_number=None).update(
            state=State.REVOKED,
            revoked_at=timezone.now(),
            revoked_by=who,
            revocation_reason=reason,
        )
        if not changed:
            raise CannotDecide("there is nothing to revoke")
        after = {"state": str(State.REVOKED), "reason": reason}
        note(who, [row], "revoked", ["state"], after)


def send_again(row: ChargePointCertificate, who: Who) -> None:
    """Send the certificate once more, to a charger that has not taken it."""
    check(row, who, CHANGE)
    with transaction.atomic():
        found = ChargePointCertificate.objects.select_for_update().get(pk=row.pk)
        if found.state not in (State.ISSUED, State.REFUSED) or found.charge_point is None:
            raise CannotDecide("it is not being sent to a charger")
        issuer = found.authority.certificate if found.authority else ""
        _send(found, found.charge_point, found.certificate, issuer, who)
        note(who, [row], "sent again")


def request_certificate(charge_point: ChargePoint, who: Who) -> Command:
    """Ask the charger to make a new key and have it signed here (A02)."""
    check(charge_point, who, CHANGE_KEY)
    if current_authority() is None:
        raise CannotDecide(
            "there is no certificate authority: create one with “levity certificate_authority "
            "create”"
        )
    with transaction.atomic():
        command = _ask_for_request(charge_point, who)
        note(who, [charge_point], "security: asked for a certificate")
    return command


def _ask_for_request(charge_point: ChargePoint, who: Who, key: str | None = None) -> Command:
    return queue(
        charge_point,
        *version_of(charge_point.subprotocol).asks.certificate_request(),
        source=SOURCE,
        requested_by=who,
        expires_after=ASK_WITHIN,
        idempotency_key=key,
    )


def sign_approved(now: datetime) -> int:
    """Sign what is approved, and queue it for the chargers; how many there were."""
    rows = list(
        ChargePointCertificate.objects.filter(state=State.APPROVED)
        .select_related("charge_point")
        .order_by("pk")[:AT_ONCE]
    )
    authority = current_authority() if rows else None
    if authority is None:
        return 0
    if authority.not_after <= now:
        _note(rows, now, f"{authority} has ended: create another one with --replace")
        return 0
    try:
        key = _key_of(authority)
    except KeyUnavailable as error:
        # Perhaps another worker has it.
        _note(rows, now, str(error))
        return 0
    return sum(_sign(row, authority, key, now) for row in rows)


def _sign(
    row: ChargePointCertificate, authority: CertificateAuthority, key: Any, now: datetime
) -> bool:
    charge_point = row.charge_point
    if charge_point is None:
        _end(row, "its charge point was deleted")
        return False
    try:
        # Once more: the rules, or the identity, may be others since.
        wanted = read_csr(row.csr, charge_point.identity, charge_point.certificate_name)
    except CertificateError as error:
        _end(row, str(error))
        return False
    made = issued(wanted.pem, authority.certificate, key, setting("OCPP_CERTIFICATE_DAYS"), now)
    with transaction.atomic():
        # Two workers may have signed it; the first counts.
        first = ChargePointCertificate.objects.filter(pk=row.pk, state=State.APPROVED).update(
            state=State.ISSUED, detail="", authority=authority, issued_at=now, **_columns(made)
        )
        if first:
            _send(row, charge_point, made.pem, authority.certificate, row.decided_by)
    if first:
        log.info(
            "%s: signed certificate %s, valid until %s",
            charge_point.identity,
            made.serial_number,
            f"{made.not_after:%Y-%m-%d}",
            extra={"charge_point": charge_point.identity},
        )
    return bool(first)


def _columns(made: Issued) -> Mapping[str, Any]:
    return {
        "serial_number": made.serial_number,
        "subject": made.subject[:255],
        "not_before": made.not_before,
        "not_after": made.not_after,
        "fingerprint": made.fingerprint,
        "certificate": made.pem,
    }


def _chain(certificate: str, issuer: str) -> str:
    return f"{certificate.strip()}\n{issuer.strip()}\n"


def _send(
    row: ChargePointCertificate,
    charge_point: ChargePoint,
    certificate: str,
    issuer: str,
    user: Any,
) -> None:
    command = queue(
        charge_point,
        # The issuer after it: a charger that checks the chain before it takes it (A02) may not
        # have it yet.
        *version_of(charge_point.subprotocol).asks.new_certificate(_chain(certificate, issuer)),
        source=SOURCE,
        requested_by=user,
        expires_after=SEND_WITHIN,
    )
    ChargePointCertificate.objects.filter(pk=row.pk).update(
        state=State.ISSUED, detail="", command=command
    )


def _end(row: ChargePointCertificate, why: str) -> None:
    ChargePointCertificate.objects.filter(pk=row.pk, state=State.APPROVED).update(
        state=State.DECLINED, detail=why[:255]
    )


def _note(rows: list[ChargePointCertificate], now: datetime, why: str) -> None:
    """Say once, where people see it, what keeps these from being signed."""
    patience = timedelta(seconds=30)
    told = f"not signed yet: {why}"[:255]
    for row in rows:
        if row.detail != told and now - (row.decided_at or now) > patience:
            log.error("certificate request %s is approved but can't be signed: %s", row.pk, why)
            ChargePointCertificate.objects.filter(pk=row.pk, state=State.APPROVED).update(
                detail=told
            )


def forget_undecided(now: datetime) -> None:
    """End the requests that nobody has decided."""
    ChargePointCertificate.objects.filter(
        state=State.WAITING, requested_at__lt=now - DECIDED_WITHIN
    ).update(state=State.EXPIRED)


def renew(now: datetime) -> int:
    """Ask chargers whose certificate ends soon for a new request, once a day; how many."""
    days = setting("OCPP_CERTIFICATE_RENEWAL_DAYS")
    if not days or current_authority() is None:
        return 0
    soon = now + timedelta(days=days)
    today = f" {now:%Y-%m-%d}"
    mine = ChargePointCertificate.objects.filter(charge_point=OuterRef("pk"))
    # One that was sent counts, too: the charger may have it, and only its answer was lost.
    ending = mine.filter(state__in=(State.INSTALLED, State.ISSUED), not_after__lt=soon)
    # Those who have a later one, or one on its way, need none.
    on_its_way = Q(state=State.ISSUED, issued_at__gte=now - SEND_WITHIN)
    late = mine.filter(Q(state=State.INSTALLED) | on_its_way, not_after__gte=soon)
    under_way = mine.filter(state__in=(State.WAITING, State.APPROVED))
    key = Concat(Value(KEY), Cast(OuterRef("pk"), CharField()), Value(today))
    asked = Command.objects.filter(charge_point=OuterRef("pk"), idempotency_key=key)
    # Those who were asked and don't answer must not stand in the way of the others.
    wanted = list(
        ChargePoint.objects.filter(
            Exists(ending), ~Exists(late), ~Exists(under_way), ~Exists(asked)
        ).order_by("pk")[:AT_ONCE]
    )
    for charge_point in wanted:
        _ask_for_request(charge_point, None, f"{KEY}{charge_point.pk}{today}")
    return len(wanted)
