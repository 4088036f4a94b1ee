"""Certificates of charge points: what a request is judged by, and what becomes of it.

No query at all in a batch in which nobody asks for one, or says what it thinks of its new one.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import Count, F, QuerySet

from levity.ocpp.effects import CertificateInstalled, CertificateRefused, RequestCertificate
from levity.ocpp.models import (
    CertificateAuthority,
    ChargePoint,
    ChargePointCertificate,
    Command,
    SecurityProfile,
)
from levity.ocpp.request import ChargePointState, SigningState
from levity.ocpp.store.evidence import confirm_commands
from levity.ocpp.store.values import Arrival, Outcome, each
from levity.ocpp.versions import V16

__all__ = [
    "confirm_certificate",
    "load_signing",
    "write_certificate_answers",
    "write_certificate_requests",
]

TRIGGERED_WITHIN = timedelta(hours=1)
"""For so long a SignCertificate is taken for the answer to our ExtendedTriggerMessage."""
A_DAY = timedelta(days=1)
State = ChargePointCertificate.State


def load_signing(
    arrivals: Sequence[Arrival], charge_points: Mapping[str, ChargePointState]
) -> dict[str, SigningState]:
    """By connection, what is known about those who ask for a certificate."""
    asking = {
        state.id: item
        for item in arrivals
        if item.references.needs_signing
        and (state := charge_points.get(item.event.charge_point.lower()))
    }
    if not asking or not CertificateAuthority.objects.filter(replaced_at=None).exists():
        return {}
    at = max(item.at for item in asking.values())
    mine = ChargePointCertificate.objects.filter(charge_point__in=asking)
    waiting = dict(
        mine.filter(state=State.WAITING).values_list("charge_point_id", "key_fingerprint")
    )
    today = dict(
        mine.filter(requested_at__gt=at - A_DAY)
        .order_by()
        .values_list("charge_point_id")
        .annotate(Count("pk"))
    )
    proved = dict(
        ChargePoint.objects.filter(
            pk__in=asking,
            security_profile__gte=SecurityProfile.BASIC_TLS,
            # One that has been open for longer came in with less.
            connected_at__gte=F("profile_since"),
        ).values_list("pk", "connection")
    )
    triggers = _triggers(asking)
    return {
        item.connection: SigningState(
            has_authority=True,
            is_proved=str(proved.get(pk)) == item.connection,
            trigger=triggers.get(pk),
            waiting_key=waiting.get(pk, ""),
            requests_today=today.get(pk, 0),
        )
        for pk, item in asking.items()
    }


def _triggers(asking: Mapping[int, Arrival]) -> dict[int, int]:
    """By charge point: the newest command that asked it for a certificate, if it is not used."""
    oldest = min(item.at for item in asking.values()) - TRIGGERED_WITHIN
    action, trigger = V16.asks.certificate_request()
    rows = Command.objects.filter(
        charge_point__in=asking,
        action=action,
        sent_at__gt=oldest,
        # The charger may ask before it answers.
        state__in=(Command.State.SENT, Command.State.ANSWERED, Command.State.TIMED_OUT),
        certificate_requests__isnull=True,
    ).order_by("pk")
    return {
        charge_point: pk
        for pk, charge_point, payload, status in rows.values_list(
            "pk", "charge_point_id", "payload", "result_status"
        )
        if isinstance(payload, Mapping)
        and trigger.items() <= payload.items()
        and status in ("", "Accepted")
    }


def write_certificate_requests(outcomes: Sequence[Outcome]) -> None:
    """Keep what chargers want signed; a request that still waits gives way to the newer one."""
    rows = [
        ChargePointCertificate(
            charge_point_id=charge_point.id,
            identity=charge_point.identity,
            state=State.APPROVED if effect.is_approved else State.WAITING,
            csr=effect.csr,
            key_kind=effect.key_kind,
            key_fingerprint=effect.key_fingerprint,
            requested_at=outcome.arrival.at,
            trigger_id=effect.trigger,
            decided_at=outcome.arrival.at if effect.is_approved else None,
        )
        for outcome, charge_point, effect in each(outcomes, RequestCertificate)
    ]
    if rows:
        ChargePointCertificate.objects.filter(
            charge_point__in=[row.charge_point_id for row in rows], state=State.WAITING
        ).update(state=State.SUPERSEDED)
        ChargePointCertificate.objects.bulk_create(rows)


def write_certificate_answers(outcomes: Sequence[Outcome]) -> None:
    """Whether chargers have installed their new certificates."""
    answers = [item for item in outcomes if item.command is not None and item.effects]
    for _, _, effect in each(answers, CertificateInstalled):
        _signed_by(effect.command_id).update(state=State.INSTALLED, detail="")
    for _, _, refused in each(answers, CertificateRefused):
        _signed_by(refused.command_id).update(
            state=State.REFUSED, detail=f"the charger said {refused.said or 'nothing'}"[:255]
        )


def _signed_by(command: int) -> QuerySet[ChargePointCertificate]:
    return ChargePointCertificate.objects.filter(
        command=command, state__in=(State.ISSUED, State.REFUSED)
    )


def confirm_certificate(pk: int, at: datetime) -> None:
    """Its charger has just connected with this certificate: it has it, and CertificateSigned, the
    answer to which was lost, has reached it."""
    ChargePointCertificate.objects.filter(pk=pk, state__in=(State.ISSUED, State.REFUSED)).update(
        state=State.INSTALLED, detail=""
    )
    sent = ChargePointCertificate.objects.filter(pk=pk).values("command")
    confirm_commands(sent, "a connection with the new certificate", at)
