"""From a charger's request to its certificate, and to its end:

asked for -> approved | declined | superseded | expired
          -> signed -> sent (CertificateSigned) -> installed | refused -> renewed | revoked

People decide in `requests`; here the housekeeping of a worker signs, sends, renews and forgets.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat

from levity.ocpp.audit import Who
from levity.ocpp.chargers.security.certificates import CertificateError, read_csr
from levity.ocpp.commands.lifecycle import queue
from levity.ocpp.conf import setting
from levity.ocpp.decisions.authority.authorities import current_authority, key_of
from levity.ocpp.decisions.authority.key_file import (
    KeyUnavailable,
)
from levity.ocpp.decisions.authority.signing import (
    Issued,
    issued,
)
from levity.ocpp.models import (
    CertificateAuthority,
    ChargePoint,
    ChargePointCertificate,
    Command,
)
from levity.ocpp.versions import version_of

__all__ = ["ask_for_request", "forget_undecided", "renew", "send_certificate", "sign_approved"]

log = logging.getLogger(__name__)

AT_ONCE = 100
DECIDED_WITHIN = timedelta(days=7)
"""A request that nobody has decided by then is over: its charger has long asked again."""
SEND_WITHIN = timedelta(days=7)
"""For so long a certificate waits for a charger that is away."""
ASK_WITHIN = timedelta(days=1)
SOURCE = "certificate authority"
KEY = "renew certificate "
State = ChargePointCertificate.State


def ask_for_request(charge_point: ChargePoint, who: Who, key: str | None = None) -> Command:
    """Queue the question for a new certificate request."""
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
        key = key_of(authority)
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
            send_certificate(row, charge_point, made.pem, authority.certificate, row.decided_by)
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


def send_certificate(
    row: ChargePointCertificate,
    charge_point: ChargePoint,
    certificate: str,
    issuer: str,
    user: Any,
) -> None:
    """Queue the certificate for its charger, in the transaction that is open."""
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
        ask_for_request(charge_point, None, f"{KEY}{charge_point.pk}{today}")
    return len(wanted)
