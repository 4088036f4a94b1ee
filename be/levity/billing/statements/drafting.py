"""The statements of a period as they would be closed: nothing is stored."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from levity.billing.known_tariffs import KnownTariffs
from levity.billing.models import Household, SessionPrice, TariffVersion
from levity.billing.rules.lines import Line, Sums
from levity.billing.rules.statement import Position, statement_sums
from levity.billing.statements.fees import Fee, fees_of
from levity.billing.statements.periods import RunPeriod
from levity.billing.stored_lines import digest_of, lines_of
from levity.ocpp.models import Transaction
from levity.ocpp.rules.signed.verdict import Session as SignedSession
from levity.ocpp.store.signed import signed_sessions
from levity_ws.frozen import frozen

__all__ = ["Draft", "Entry", "draft_all", "fingerprint", "with_facts"]

PORTION = 500


@frozen
class Entry:
    """A position, and what the statement says of its session."""

    session: int
    version: int
    position: Position
    digest: str
    facts: dict[str, Any]


@frozen
class Draft:
    """A statement that is not closed yet."""

    household: Household
    currency: str
    gross: bool
    entries: tuple[Entry, ...]
    fees: tuple[Line, ...]
    fee_days: tuple[tuple[date, date], ...] = ()
    """Of each fee, the first and the last day that it is for."""

    @property
    def sums(self) -> Sums:
        """Net, tax and gross."""
        positions = [entry.position for entry in self.entries]
        return statement_sums(positions, self.fees, self.currency, self.gross)

    @property
    def wh(self) -> Decimal:
        """Energy of all positions, Wh; what is taken back counts below zero."""
        return sum((entry.position.signed_wh for entry in self.entries), Decimal())


Key = tuple[int, str, bool]


def draft_all(period: RunPeriod) -> list[Draft]:
    """In the order of households; one for each currency, and for prices with and without tax."""
    entries: dict[Key, list[Entry]] = defaultdict(list)
    fees: dict[Key, list[Fee]] = defaultdict(list)
    known = _Versions()
    changed = _changed(period)
    again = [_new(row) for row in changed if _is_due(row, period)]
    for household, entry in (*_taken_back(changed), *map(_new, _fresh(period)), *again):
        entries[household, *known.money(entry.version)].append(entry)
    for fee in fees_of(period, KnownTariffs()):
        fees[fee.household, *known.money(fee.version)].append(fee)
    keys = {*entries, *fees}
    households = Household.objects.select_related("site").in_bulk({key[0] for key in keys})
    drafts = [
        Draft(
            households[key[0]],
            key[1],
            key[2],
            tuple(entries.get(key, ())),
            tuple(fee.line for fee in fees.get(key, ())),
            tuple((fee.first, fee.last) for fee in fees.get(key, ())),
        )
        for key in keys
    ]
    return sorted(
        drafts,
        key=lambda it: (_as_sorted(str(it.household)), it.household.pk, it.currency, it.gross),
    )


def _as_sorted(name: str) -> str:
    """Änne stands beside Anne, whatever the database thinks of letters."""
    return unicodedata.normalize("NFKD", name).casefold()


def fingerprint(drafts: Iterable[Draft]) -> str:
    """The same for the same statements: what is closed is what was looked at."""
    return digest_of(
        [
            [
                *(draft.household.pk, draft.currency, draft.gross, str(draft.sums.gross)),
                [[entry.session, entry.position.sign, entry.digest] for entry in draft.entries],
                [[line.name, str(line.amount)] for line in draft.fees],
            ]
            for draft in drafts
        ]
    )


class _Versions:
    """The money of each version: currency, and whether prices include the tax."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[str, bool]] = {}

    def money(self, version: int) -> tuple[str, bool]:
        if version not in self._known:
            rows = TariffVersion.objects.values_list(
                "pk", "document__currency", "document__tax_included"
            )
            self._known = {pk: (currency, bool(gross)) for pk, currency, gross in rows}
        return self._known[version]


def _fresh(period: RunPeriod) -> Iterator[SessionPrice]:
    """Sessions with a price that are on no statement yet; also those of earlier periods that waited
    then."""
    rows = SessionPrice.objects.filter(
        period.at("transaction__charge_point__"),
        # Nothing was charged, and nothing is to be paid for it.
        ~Q(wh=0, amount=0),
        state=SessionPrice.State.PRICED,
        position__isnull=True,
        ended_at__gte=period.books_since,
        ended_at__lt=period.until,
    ).select_related("version__tariff")
    yield from rows.order_by("started_at", "pk")


def _changed(period: RunPeriod) -> list[SessionPrice]:
    """Of which earlier statements said something else than is known now, and that do not wait. Read
    once: what is taken back and what is billed anew are of one moment, whoever corrects meanwhile.
    """
    rows = SessionPrice.objects.exclude(state=SessionPrice.State.WAITS).filter(
        ~Q(digest=F("position__digest")), position__statement__run__issuer=period.issuer
    )
    wanted = rows.select_related("position__statement", "version__tariff")
    return list(wanted.defer("position__statement__document").order_by("started_at", "pk"))


def _is_due(row: SessionPrice, period: RunPeriod) -> bool:
    return row.state == SessionPrice.State.PRICED and row.ended_at < period.until


def _new(row: SessionPrice) -> tuple[int, Entry]:
    assert row.household_id is not None
    assert row.version is not None
    position = Position(tuple(lines_of(row.lines)), row.wh)
    facts = {"tariff": str(row.version)}
    return row.household_id, Entry(row.pk, row.version.pk, position, row.digest, facts)


def _taken_back(changed: Iterable[SessionPrice]) -> Iterator[tuple[int, Entry]]:
    """What the earlier statements said of them, unless that was taken back already."""
    for row in changed:
        told = row.position
        assert told is not None
        if told.sign < 0:
            continue
        facts = {**told.facts, "correction_of": told.statement.label}
        position = Position(tuple(lines_of(told.lines)), told.wh, -1)
        yield (
            told.statement.household_id,
            Entry(row.pk, told.version_id, position, row.digest, facts),
        )


def with_facts(entries: Iterable[Entry], period: RunPeriod) -> dict[tuple[int, int], Any]:
    """(session, sign) -> when, where, with which card, from which registers: as of now for new
    positions, as it was told for those that are taken back."""
    entries = list(entries)
    found: dict[tuple[int, int], Any] = {
        (entry.session, -1): entry.facts for entry in entries if entry.position.sign < 0
    }
    new = {entry.session: entry for entry in entries if entry.position.sign > 0}
    keys = list(new)
    for at in range(0, len(keys), PORTION):
        rows = (
            Transaction.objects.filter(pk__in=keys[at : at + PORTION])
            .select_related("charge_point__site")
            .prefetch_related("repairs")
        )
        by_signed = [row.pk for row in rows if _is_by_signed(row)]
        signed = signed_sessions(by_signed) if by_signed else {}
        for row in rows:
            facts = _facts(row, period)
            ends = signed.get(row.pk)
            if ends is not None and ends.verified_wh == new[row.pk].position.wh:
                facts |= _signed_facts(ends, facts)
            found[row.pk, 1] = {**facts, **new[row.pk].facts}
    return found


def _facts(row: Transaction, period: RunPeriod) -> dict[str, Any]:
    zone = period.zone
    ended = row.stopped_at or row.started_at
    last = row.meter_stop if row.meter_stop is not None else row.meter_last
    return {
        "start": timezone.localtime(row.started_at, zone).isoformat(timespec="minutes"),
        "end": timezone.localtime(ended, zone).isoformat(timespec="minutes"),
        "charger": row.charge_point.name or row.charge_point.identity,
        "connector": row.connector,
        "id_tag": row.id_tag,
        "meter_start": None if row.meter_start is None else str(row.meter_start),
        "meter_stop": None if last is None else str(last),
        "marks": list(_marks(row)),
    }


def _is_by_signed(row: Transaction) -> bool:
    return row.charge_point.site is not None and row.charge_point.site.bill_signed


def _signed_facts(ends: SignedSession, facts: dict[str, Any]) -> dict[str, Any]:
    """It is billed by the signed register, so that one is told, and no other."""
    assert ends.first is not None
    assert ends.last is not None
    registers = {"meter_start": str(ends.first.wh), "meter_stop": str(ends.last.wh)}
    return {**registers, "marks": [*facts["marks"], "signed"]}


def _marks(row: Transaction) -> Iterator[str]:
    if row.energy_source == "corrected" or row.repairs.all():
        yield "corrected"
    if row.state == Transaction.State.ORPHANED or row.confidence == "low":
        yield "estimated"
