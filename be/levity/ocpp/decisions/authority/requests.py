"""What people decide about certificates: approved, declined, revoked, asked for, sent again."""

from django.db import transaction
from django.utils import timezone

from levity.ocpp.audit import Who, note, person
from levity.ocpp.deciding import NotPossible, check
from levity.ocpp.decisions.authority.authorities import current_authority
from levity.ocpp.decisions.authority.issuing import ask_for_request, send_certificate
from levity.ocpp.models import (
    ChargePoint,
    ChargePointCertificate,
    Command,
)

__all__ = ["CannotDecide", "approve", "decline", "request_certificate", "revoke", "send_again"]


CHANGE = "ocpp.change_chargepointcertificate"
CHANGE_KEY = "ocpp.change_credential"
State = ChargePointCertificate.State


class CannotDecide(NotPossible):
    """Not possible as things are; the text says why."""


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
            state=state, decided_at=timezone.now(), decided_by=person(who)
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
            revoked_by=person(who),
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
        send_certificate(found, found.charge_point, found.certificate, issuer, who)
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
        command = ask_for_request(charge_point, who)
        note(who, [charge_point], "security: asked for a certificate")
    return command
