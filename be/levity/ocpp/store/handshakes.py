"""What handshakes need from the database and leave there: keys, wrong guesses, proofs.

Three short queries for a batch in which somebody connects, none for every other batch. Those that
are refused are listed by `refusals`.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef

from levity.db.rows import upsert_rows
from levity.ocpp.chargers.security.certificates import CertificateError, read_certificate
from levity.ocpp.conf import setting
from levity.ocpp.models import (
    AuthFailure,
    ChargePoint,
    ChargePointCertificate,
    Credential,
    Transaction,
)
from levity.ocpp.request import ChargePointState
from levity.ocpp.rules import lockout
from levity.ocpp.rules.admission import CredentialState, Guesses, Verdict
from levity.ocpp.store.certificates import confirm_certificate
from levity.ocpp.store.evidence import confirm_commands
from levity.ocpp.store.refusals import write_refusals
from levity.ocpp.store.values import Arrival, Outcome
from levity_ws.rpc.envelope import Authenticate, Refused

__all__ = ["Handshakes", "load_handshakes", "write_handshakes"]


NEW_FOR = timedelta(hours=1)
"""A charge point without a key is new until it has a recorded session, or was first seen so
long ago; and, whatever it does, until its registration is accepted. It gets no more memory than an
ordinary frame needs."""


@dataclass(slots=True)
class Handshakes:
    """What is known of those who connect in this batch."""

    credentials: dict[int, CredentialState] = field(default_factory=dict)
    """By charge point id."""
    guesses: dict[tuple[str, str], Guesses] = field(default_factory=dict)
    """By (identity in lower case, or "" for all; address)."""
    unconfirmed: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By client certificate as presented: (charge point id, row) of one that we have signed and of
    which its charger has not said that it has it."""
    strangers: set[int] = field(default_factory=set)
    """Charge point ids of those that are new, and without a key; see `NEW_FOR`."""

    def guesses_of(self, event: Authenticate) -> tuple[Guesses, Guesses]:
        """The wrong guesses from this address: for this identity, and for all."""
        mine, all_of_them = _buckets(event)
        return self.guesses.get(mine, Guesses()), self.guesses.get(all_of_them, Guesses())

    def note(self, event: Authenticate, verdict: Verdict) -> None:
        """One more wrong guess, or one more key that was not looked at, if it is one; the next
        handshake of this batch feels it already."""
        mine, all_of_them = _buckets(event)
        if verdict.waits:
            before = self.guesses.get(all_of_them, Guesses())
            waiting = lockout.remembered(before.waiting, verdict.waits, event.at)
            self.guesses[all_of_them] = replace(before, waiting=waiting)
        if not verdict.guess:
            return
        for key in (mine, all_of_them):
            before = self.guesses.get(key, Guesses())
            now = replace(before, last_guess=verdict.guess if key[0] else "")
            if verdict.is_insistent:
                insistent = lockout.spent(before.insistent_forgotten_at, event.at)
                self.guesses[key] = replace(now, insistent_forgotten_at=insistent)
            else:
                forgotten = lockout.spent(before.forgotten_at, event.at)
                self.guesses[key] = replace(now, forgotten_at=forgotten)


def load_handshakes(
    arrivals: Sequence[Arrival], charge_points: Mapping[str, ChargePointState]
) -> Handshakes:
    """Credentials and wrong guesses of those who ask to connect."""
    found = Handshakes()
    asking = [item.event for item in arrivals if isinstance(item.event, Authenticate)]
    if not asking:
        return found
    known = {
        state.id for event in asking if (state := charge_points.get(event.charge_point.lower()))
    }
    sessions = Transaction.objects.filter(charge_point=OuterRef("pk"))
    rows = ChargePoint.objects.filter(pk__in=known).values_list(
        "pk",
        "security_profile",
        "remote_address",
        "credential__digest",
        "credential__next_digest",
        "credential__next_profile",
        "credential__allow_short",
        "certificate_name",
        "registration",
        "created_at",
        Exists(sessions),
    )
    revoked = _presented(found, asking)
    began = datetime.fromtimestamp(min(event.at for event in asking), UTC) - NEW_FOR
    accepted = ChargePoint.Registration.ACCEPTED
    for pk, profile, address, digest, next_digest, next_profile, allow_short, name, *seen in rows:
        registration, created_at, has_session = seen
        is_new = registration != accepted or (created_at > began and not has_session)
        if is_new and not profile and not digest:
            found.strangers.add(pk)
        found.credentials[pk] = CredentialState(
            profile=profile,
            last_address=address,
            digest=digest or "",
            next_digest=next_digest or "",
            next_profile=next_profile,
            allow_short=bool(allow_short),
            revoked=revoked,
            certificate_name=name,
        )
    are_asked = any(item.profile or item.next_profile for item in found.credentials.values())
    if are_asked or setting("OCPP_SECURITY_PROFILE"):
        _load_guesses(found, asking)
    return found


def _presented(found: Handshakes, asking: Sequence[Authenticate]) -> frozenset[str]:
    """The serial numbers of the revoked certificates among those that are presented; notes those
    that we have signed and nobody has confirmed."""
    presented: dict[str, str] = {}
    for event in asking:
        if event.certificate_verified == "SUCCESS":
            with suppress(CertificateError):
                serial = read_certificate(event.certificate).serial_number[:40]
                presented[serial] = event.certificate
    if not presented:
        return frozenset()
    state = ChargePointCertificate.State
    rows = ChargePointCertificate.objects.filter(serial_number__in=presented)
    revoked = set()
    for pk, number, owner, stands, revoked_at in rows.values_list(
        "pk", "serial_number", "charge_point_id", "state", "revoked_at"
    ):
        if revoked_at is not None:
            revoked.add(str(number))
        elif owner is not None and stands in (state.ISSUED, state.REFUSED):
            found.unconfirmed[presented[str(number)]] = owner, pk
    return frozenset(revoked)


def _load_guesses(found: Handshakes, asking: Sequence[Authenticate]) -> None:
    wanted = {key for event in asking if event.authorization for key in _buckets(event)}
    if not wanted:
        return
    rows = AuthFailure.objects.filter(
        identity__in={identity for identity, _ in wanted},
        address__in={address for _, address in wanted},
    )
    # Locked, so that two workers do not each allow the same guesses.
    locked = rows.order_by("pk").select_for_update(no_key=True)
    for row in locked:
        found.guesses[row.identity, row.address] = Guesses(
            forgotten_at=row.forgotten_at,
            insistent_forgotten_at=row.insistent_forgotten_at,
            last_guess=row.last_guess,
            waiting=_waiting(row.waiting),
        )


def _buckets(event: Authenticate) -> tuple[tuple[str, str], tuple[str, str]]:
    address = event.remote[:64]
    return (event.charge_point.lower()[:48], address), ("", address)


def _waiting(text: str) -> lockout.Waiting:
    parts = (item.partition(":") for item in text.split())
    return tuple((mark, float(at)) for mark, _, at in parts)


def write_handshakes(outcomes: Sequence[Outcome], handshakes: Handshakes, edge: str) -> None:
    """List the refused, count the guesses, and note what the accepted have proved.

    Marks the outcomes whose refusal is news.
    """
    judged = [(item, item.verdict) for item in outcomes if item.verdict is not None]
    told = [item.arrival.event for item in outcomes if isinstance(item.arrival.event, Refused)]
    if judged:
        _write_guesses(judged, handshakes)
        _write_proofs(judged)
        _write_certificates(judged, handshakes)
    if told or any(verdict.reason for _, verdict in judged):
        write_refusals(judged, [item for event in told for item in event.refusals], edge)


def _write_guesses(judged: Sequence[tuple[Outcome, Verdict]], handshakes: Handshakes) -> None:
    rows: dict[tuple[str, str], tuple[Any, ...]] = {}
    for outcome, verdict in judged:
        event = outcome.arrival.event
        if not isinstance(event, Authenticate) or not (verdict.guess or verdict.waits):
            continue
        for key in _buckets(event) if verdict.guess else _buckets(event)[1:]:
            now = handshakes.guesses[key]
            rows[key] = (*key, 1, event.at, *_state(now))
    upsert_rows(
        AuthFailure,
        ("identity", "address", "failures", "counted_at", *_STATE),
        [rows[key] for key in sorted(rows)],
        key=("identity", "address"),
        update=("counted_at", *_STATE),
        add=("failures",),
    )


_STATE = ("forgotten_at", "insistent_forgotten_at", "last_guess", "waiting")


def _state(now: Guesses) -> tuple[Any, ...]:
    waiting = " ".join(f"{mark}:{at:.0f}" for mark, at in now.waiting)
    return now.forgotten_at, now.insistent_forgotten_at, now.last_guess, waiting


def _write_proofs(judged: Sequence[tuple[Outcome, Verdict]]) -> None:
    promoted, raised = [], {}
    at = max(outcome.arrival.at for outcome, _ in judged)
    for outcome, verdict in judged:
        if outcome.charge_point is None:
            continue
        if verdict.promotes_key:
            promoted.append(outcome.charge_point.id)
        if verdict.raises_to is not None:
            raised[outcome.charge_point.id] = verdict.raises_to
    if promoted:
        sent = Credential.objects.filter(charge_point__in=promoted).values("next_command")
        confirm_commands(sent, "a connection with the new key", at)
        Credential.objects.filter(charge_point__in=promoted).update(
            digest=F("next_digest"), next_digest="", next_command=None, set_at=at
        )
    for level in sorted(set(raised.values())):
        those = [pk for pk, wanted in raised.items() if wanted == level]
        ChargePoint.objects.filter(pk__in=those, security_profile__lt=level).update(
            security_profile=level, profile_since=at
        )
        Credential.objects.filter(charge_point__in=those).update(next_profile=None)


def _write_certificates(judged: Sequence[tuple[Outcome, Verdict]], handshakes: Handshakes) -> None:
    """A charger that comes with its new certificate has it, whatever became of its answer."""
    for outcome, verdict in judged:
        event, charge_point = outcome.arrival.event, outcome.charge_point
        if verdict.reason or charge_point is None or not isinstance(event, Authenticate):
            continue
        owner, pk = handshakes.unconfirmed.get(event.certificate, (None, None))
        if owner == charge_point.id and pk is not None:
            confirm_certificate(pk, outcome.arrival.at)
