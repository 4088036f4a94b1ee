"""Sessions get their payer and their price: a row of `SessionPrice` for each that is over.

The row is a function of the session, of who held what, of the tariffs and of what a person decided;
`settle` writes it anew, and doing so twice changes nothing. What is on a closed statement keeps its
household and its version: only its figures may still change, and the next statements correct them.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import DatabaseError, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from levity.billing.known_tariffs import KnownTariffs
from levity.billing.models import SessionMark, SessionPrice, TariffVersion
from levity.billing.readings import Usages
from levity.billing.rules import treatment
from levity.billing.rules.pricing import Priced, price
from levity.billing.rules.stay import Stay
from levity.billing.rules.tariff import NoPrice, Tariff
from levity.billing.rules.treatment import Decision, Facts, Treatment, treat
from levity.billing.rules.usage import BadUsage
from levity.billing.stays import Stays
from levity.billing.stored_lines import digest_of, stored
from levity.billing.to_price import ToPrice
from levity.billing.used import holders
from levity.ocpp.deciding import NotPossible
from levity.ocpp.models import Transaction
from levity.ocpp.models.transaction import IN_TOTALS
from levity.ocpp.rules.flags import class_of
from levity.ocpp.rules.signed.verdict import Session as SignedSession
from levity.ocpp.store.signed import signed_sessions
from levity.ocpp.wire.fields import zone_of

__all__ = ["CHUNK", "figures_of", "session_of", "settle", "settle_between", "settle_marked"]

log = logging.getLogger(__name__)

CHUNK = 200
"""Sessions of one database transaction."""
RECENT = timedelta(days=2)
MOST = Decimal(10) ** 12
COLUMNS = (
    *("id", "charge_point_id", "charge_point__site_id", "charge_point__site__time_zone"),
    *("connector", "id_tag", "started_at", "stopped_at", "meter_start", "energy"),
    *("flags", "confidence", "charge_point__site__bill_signed"),
)
GIVEN_FLAG, NOBODY = "unassigned-energy", "nobody"


def settle_marked(most: int = CHUNK) -> int:
    """Price what was marked, the oldest first, and what ended lately without a mark (because a
    process did not know yet that there is a tariff); how many sessions that were."""
    marks = list(SessionMark.objects.order_by("pk").values_list("pk", "session")[:most])
    found = {session for _, session in marks}
    if not marks:
        found = set(_without_price(timezone.now() - RECENT)[:most])
    if not found:
        return 0
    mine = [pk for pk, _ in marks]
    try:
        with transaction.atomic():
            settle(found)
            SessionMark.objects.filter(pk__in=mine).delete()
    except DatabaseError:
        raise
    except Exception:
        log.exception("%d sessions can't be priced together: trying each alone", len(found))
        _settle_each(found)
        SessionMark.objects.filter(pk__in=mine).delete()
    return len(found)


def _settle_each(sessions: Collection[int]) -> None:
    """One that can't be priced at all keeps no other from its price; the check before the next
    statements fails at it, too, so that nobody overlooks it."""
    for pk in sorted(sessions):
        try:
            with transaction.atomic():
                settle([pk])
        except DatabaseError:
            raise
        except Exception:
            log.exception("session %d can't be priced", pk)


def settle_between(
    since: datetime, until: datetime, breathe: Callable[[], object] = lambda: None
) -> int:
    """Price anew all sessions that ended in this time: who held what, and which tariff is for whom,
    may have changed since."""
    ended = Transaction.objects.exclude(state=Transaction.State.ACTIVE).filter(
        IN_TOTALS, stopped_at__gte=since, stopped_at__lt=until
    )
    keys = list(ended.order_by("started_at", "pk").values_list("pk", flat=True))
    for at in range(0, len(keys), CHUNK):
        with transaction.atomic():
            settle(keys[at : at + CHUNK])
        breathe()
    return len(keys)


def settle(sessions: Collection[int]) -> None:
    """Write the rows of these sessions, in a fixed number of statements; within a transaction."""
    prices = {
        row.pk: row
        for row in SessionPrice.objects.select_for_update(of=("self",), no_key=True)
        .select_related("position__statement")
        .defer("position__lines", "position__facts", "position__statement__document")
        .filter(pk__in=sessions)
        .order_by("pk")
    }
    rows = {row[0]: row for row in _over(sessions)}
    _take_away([prices[pk] for pk in prices if pk not in rows])
    known, held = KnownTariffs(), holders()
    by_signed = [pk for pk, row in rows.items() if row[-1]]
    signed = signed_sessions(by_signed) if by_signed else {}
    judged = [
        _Judged(row, prices.get(row[0]), known, held, signed.get(row[0]))
        for row in sorted(rows.values(), key=lambda row: (row[6], row[0]))
    ]
    _price(judged, known)
    _write([each for each in judged if each.has_changed])


def session_of(pk: int) -> Transaction:
    """The session; raises `NotPossible` if it was taken back."""
    found = Transaction.objects.filter(pk=pk).first()
    if found is None:
        raise NotPossible(gettext_noop("the session was taken back"))
    return found


def figures_of(energy: Decimal | None, flags: str, confidence: str) -> str:
    """What a person sees of a session when deciding; a decision about others has lapsed."""
    return f"{energy} {confidence} {flags}"[:300]


class _Judged:
    """A session that is over, and what becomes of it."""

    def __init__(
        self,
        row: tuple[Any, ...],
        known: SessionPrice | None,
        tariffs: KnownTariffs,
        held: Any,
        signed: SignedSession | None = None,
    ) -> None:
        (
            self.pk,
            self.charge_point,
            site,
            zone,
            self.connector,
            self.id_tag,
            self.started_at,
            stopped_at,
            self.meter_start,
            energy,
            flags,
            confidence,
            _,
        ) = row
        self.known = known
        self.ended_at = max(stopped_at or self.started_at, self.started_at)
        wh = energy if signed is None or signed.verified_wh is None else signed.verified_wh
        self.wh = wh if wh is not None else Decimal()
        self.figures = figures_of(energy, flags, confidence)
        day = timezone.localtime(self.started_at, zone_of(zone) if zone else None).date()
        payer = held.payer(self.charge_point, self.connector, self.id_tag, day)
        household, self.rule = payer.household, payer.rule
        told = known.position if known is not None else None
        if known is not None and told is not None:
            household, self.rule = told.statement.household_id, known.rule
        decision = _decision(known)
        whose = decision.household if decision and decision.household else household
        use = tariffs.use(
            day, site=site, charge_point=self.charge_point, household=whose, id_tag=self.id_tag
        )
        self.version: int | None = None
        if told is not None:
            self.version = told.version_id
        elif use is not None and use.tariff is not None:
            self.version = tariffs.version(use.tariff, self.started_at)
        self.treatment = treat(
            Facts(
                self.figures,
                class_of(flags, confidence),
                None if wh is None else int(wh),
                household,
                is_given_to_nobody=self.id_tag == NOBODY and GIVEN_FLAG in flags.split(),
                has_use=use is not None or self.version is not None,
                is_free=use is not None and use.tariff is None and self.version is None,
                has_version=self.version is not None,
                decision=decision,
                is_imported=treatment.IMPORTED in flags.split(),
                lacks_signature=signed is not None and signed.verified_wh is None,
            )
        )
        if self.treatment.is_decided and decision and decision.household:
            self.rule = "by hand"
        if self.treatment.state != treatment.PRICED:
            self.version = None
        self.tariff: Tariff | None = None
        self.detail = ""
        self.lines: list[dict[str, str]] = []
        self.amount: Decimal | None = None
        self.kwh_before = Decimal()
        self.stay: Stay | None = None

    @property
    def inputs(self) -> str:
        """Of all that the row is made of."""
        it = self.treatment
        return digest_of(
            *(self.figures, self.wh, self.started_at, self.ended_at, self.meter_start),
            *(it.state, it.reason, it.household, self.rule, self.version, self.kwh_before),
            *([] if self.stay is None else [[(it.start, it.end) for it in self.stay.full]]),
        )

    @property
    def is_priced(self) -> bool:
        return self.treatment.state == treatment.PRICED

    @property
    def has_changed(self) -> bool:
        return self.known is None or self.known.inputs != self.inputs

    def to_price(self) -> ToPrice | None:
        if self.tariff is None:
            return None
        return ToPrice(
            *(self.pk, self.charge_point, self.connector, self.started_at, self.ended_at),
            *(self.wh, self.meter_start, self.tariff),
        )

    def month(self, moment: datetime) -> tuple[int, int]:
        """Of this moment, at the tariff's clock."""
        local = moment.astimezone(self.tariff.zone if self.tariff else None)
        return local.year, local.month

    def keep(self, stay: Stay) -> None:
        """How long the car kept the place. Who billed it before it left, did so as it was."""
        decided_at = self.known.decided_at if self.known and self.treatment.is_decided else None
        if decided_at is not None and (stay.left is None or stay.left > decided_at):
            stay = stay.until(self.ended_at)
        elif stay.left is None:
            self.treatment = Treatment(
                treatment.WAITS, treatment.PLUGGED_IN, self.treatment.household
            )
        self.stay = stay

    def take(self, priced: Priced) -> None:
        kwh = sum((line.quantity for line in priced.lines if line.unit == "kWh"), Decimal())
        if kwh * 1000 != self.wh:
            # Never seen; a bill that says less or more than the meter is worse than none.
            self.wait(f"its lines are about {kwh} kWh")
            return
        amount = sum((line.amount for line in priced.lines), Decimal())
        if abs(amount) >= MOST:
            # More than its column holds: one such session would keep all others from their price.
            self.wait("its amount is too large to be true")
            return
        self.lines, self.amount = stored(priced.lines), amount

    def wait(self, why: str) -> None:
        self.treatment = Treatment(treatment.WAITS, treatment.NO_PRICE, self.treatment.household)
        self.detail = why


def _price(judged: list[_Judged], known: KnownTariffs) -> None:
    """Price those that have a payer and a version, and whose price may have changed."""
    priced = [each for each in judged if each.version is not None]
    known.read({_version(each) for each in priced})
    for each in priced:
        each.tariff = known.tariff(_version(each))
    if tiered := [each for each in priced if each.tariff and each.tariff.depends_on_month]:
        _count_months(tiered)
    sessions = {each.pk: session for each in priced if (session := each.to_price())}
    idle = [each for each in priced if each.tariff and each.tariff.idle]
    stays = Stays([sessions[each.pk] for each in idle], timezone.now())
    for each in idle:
        each.keep(stays.of(sessions[each.pk]))
    stale = [each for each in priced if each.has_changed and each.is_priced]
    usages = Usages([sessions[each.pk] for each in stale])
    for each in stale:
        session = sessions[each.pk]
        try:
            each.take(price(session.tariff, usages.of(session, each.stay), each.kwh_before))
        except (ArithmeticError, BadUsage, NoPrice) as error:
            each.wait(str(error))


def _count_months(tiered: list[_Judged]) -> None:
    """What each household had used in its month before, of sessions with a price."""
    mine = {each.pk for each in tiered}
    rows = SessionPrice.objects.filter(
        state=SessionPrice.State.PRICED,
        household__in={each.treatment.household for each in tiered},
        started_at__gte=min(each.started_at for each in tiered) - timedelta(days=32),
        started_at__lte=max(each.started_at for each in tiered),
    ).exclude(pk__in=mine)
    used: dict[int | None, list[tuple[datetime, int, Decimal]]] = defaultdict(list)
    for household, started_at, pk, wh in rows.values_list("household_id", "started_at", "pk", "wh"):
        used[household].append((started_at, pk, wh))
    for each in tiered:
        used[each.treatment.household].append((each.started_at, each.pk, each.wh))
    for each in tiered:
        month = each.month(each.started_at)
        before = (
            wh
            for at, pk, wh in used[each.treatment.household]
            if (at, pk) < (each.started_at, each.pk) and each.month(at) == month
        )
        each.kwh_before = sum(before, Decimal()) / 1000


def _write(judged: Iterable[_Judged]) -> None:
    rows = []
    for each in sorted(judged, key=lambda each: each.pk):
        row = each.known or SessionPrice(pk=each.pk)
        inputs = each.inputs
        row.state, row.reason = each.treatment.state, each.treatment.reason
        row.household_id, row.rule = each.treatment.household, each.rule
        row.version_id, row.detail = each.version, each.detail
        row.started_at, row.ended_at, row.wh = each.started_at, each.ended_at, each.wh
        row.lines, row.amount, row.inputs = each.lines, each.amount, inputs
        row.digest = digest_of(row.state, row.household_id, str(row.wh), row.lines)
        rows.append(row)
    if rows:
        SessionPrice.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["transaction"], update_fields=WRITTEN
        )


WRITTEN = (
    *("state", "reason", "detail", "household", "rule", "version", "started_at", "ended_at"),
    *("wh", "amount", "lines", "inputs", "digest"),
)


def _take_away(gone: Collection[SessionPrice]) -> None:
    """Of sessions that were taken back, or run again."""
    kept = [row for row in gone if row.is_billed]
    for row in kept:
        row.state, row.reason = SessionPrice.State.EXCLUDED, treatment.NOTHING
        row.wh, row.lines, row.amount, row.inputs = Decimal(), [], None, ""
        row.digest = digest_of(row.state, row.household_id, "0", [])
    if kept:
        SessionPrice.objects.bulk_update(
            kept, ["state", "reason", "wh", "lines", "amount", "inputs", "digest"]
        )
    if len(kept) < len(gone):
        SessionPrice.objects.filter(pk__in=[row.pk for row in gone if not row.is_billed]).delete()


def _over(sessions: Collection[int]) -> Iterator[tuple[Any, ...]]:
    rows = Transaction.objects.filter(IN_TOTALS, pk__in=sessions)
    over = rows.exclude(state=Transaction.State.ACTIVE)
    yield from over.order_by().values_list(*COLUMNS)


def _without_price(since: datetime) -> Any:
    first = TariffVersion.objects.order_by("begins").values_list("begins", flat=True).first()
    if first is None:
        return Transaction.objects.none().values_list("pk", flat=True)
    rows = Transaction.objects.filter(
        IN_TOTALS, started_at__gte=max(since, first), price__isnull=True
    )
    over = rows.exclude(state=Transaction.State.ACTIVE)
    return over.order_by("started_at").values_list("pk", flat=True)


def _decision(known: SessionPrice | None) -> Decision | None:
    if known is None or not known.decision:
        return None
    return Decision(known.decision, known.decided_figures, known.decided_household_id)


def _version(judged: _Judged) -> int:
    assert judged.version is not None
    return judged.version
