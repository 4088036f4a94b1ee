"""What a person decides about unassigned energy: whose it is, and that it was not so after all.

A stretch of a register becomes a session by hand, over just that stretch: nothing automatic
changes it any more. Asking for the same again changes nothing; where a session has got a part of
the stretch meanwhile, nothing is given away twice.
"""

import logging
from datetime import datetime
from decimal import Decimal

from django.db import transaction as database
from django.db.models import QuerySet
from django.utils import timezone

from levity.ocpp.audit import Who, note
from levity.ocpp.changes import changes_told
from levity.ocpp.deciding import NotPossible, check
from levity.ocpp.decisions import sessions
from levity.ocpp.models import ChargePoint, IdTag, MeterValueCorrection, Transaction
from levity.ocpp.rules.chain.claims import CORRECTED
from levity.ocpp.rules.chain.unassigned import Unassigned
from levity.ocpp.store.loose import month_of, outside_sessions, renew, zone_of_site
from levity.ocpp.store.samples.changing import assign
from levity.ocpp.store.samples.reading import loose, of_transaction

__all__ = ["CHANGE", "FLAG", "NOBODY", "give", "given_in", "stretches_of", "take_back"]

log = logging.getLogger(__name__)

CHANGE = "ocpp.change_unassignedenergy"
FLAG = "unassigned-energy"
NOBODY = "nobody"
"""In place of an id tag: somebody looked, and nobody is to pay for it."""
MADE = f"made-by-hand {FLAG}"
Place = tuple[int, int]


def stretches_of(charge_point: ChargePoint, place: Place, month: str) -> tuple[Unassigned, ...]:
    """What the register of this connector (EVSE, connector) moved in no session in this month."""
    for item in outside_sessions([charge_point.pk], month, month):
        if (item.evse, item.connector) == place:
            return item.stretches
    return ()


def given_in(charge_point: ChargePoint, place: Place, month: str) -> list[Transaction]:
    """The sessions that were made of such stretches there, the oldest first."""
    made = _made(charge_point, place).order_by("started_at", "pk")
    zone = zone_of_site(charge_point)
    return [row for row in made if row.stopped_at and month_of(row.stopped_at, zone) == month]


def give(
    charge_point: ChargePoint,
    place: Place,
    stretch: tuple[datetime, Decimal, datetime, Decimal],
    tag: IdTag | None,
    who: Who,
    why: str = "",
) -> Transaction:
    """Make a session of this stretch (since, Wh, until, Wh) for this tag.

    None: nobody is to pay for it, and `why` says what it was.
    """
    check(charge_point, who, CHANGE)
    if tag is not None:
        check(tag, who)
    why = why.strip()
    if tag is None and not why:
        raise NotPossible("enter what it was if nobody is to pay for it")
    if tag is None and IdTag.objects.filter(id_tag__iexact=NOBODY).exists():
        raise NotPossible(f"there is an id tag “{NOBODY}”: give it to that one")
    since, wh_from, until, wh_until = stretch
    payer = NOBODY if tag is None else tag.id_tag
    with database.atomic(), changes_told():
        sessions.take_turn(charge_point)
        same = _made(charge_point, place).filter(started_at=since, meter_start=wh_from).first()
        if same is not None:
            if same.id_tag == payer and same.meter_stop == wh_until:
                return same
            raise NotPossible(
                f"it was already given to {same.id_tag}, as transaction {same.pk}: undo that first"
            )
        month = month_of(until, zone_of_site(charge_point))
        there = stretches_of(charge_point, place, month)
        if stretch not in [(it.since, it.wh_from, it.until, it.wh_until) for it in there]:
            raise NotPossible(
                "this energy is no longer unassigned as it was: a session may have got a part of "
                "it. Look at the list again"
            )
        made = _insert(charge_point, place, stretch, payer)
        _join(made)
        # (Not the tag itself: whoever is to be forgotten is forgotten in `after`.)
        to = NOBODY if tag is None else "an id tag"
        said = f"unassigned energy given to {to}{f': {why}' if why else ''}"
        after = {"id_tag": payer, "energy": made.energy, "meter_start": made.meter_start}
        note(who, [made], said, {}, after)
        renew([charge_point.pk], month, month, timezone.now())
    log.info("%s: transaction %s: %s", charge_point, made.pk, said)
    return made


def take_back(row: Transaction, who: Who) -> None:
    """The session was made of unassigned energy, and is not: the energy is unassigned again."""
    check(row, who, CHANGE)
    with database.atomic(), changes_told():
        sessions.take_turn(row.charge_point)
        found = Transaction.objects.select_for_update(of=("self",)).filter(pk=row.pk).first()
        if found is None:
            return
        if FLAG not in found.flags.split():
            raise NotPossible(f"transaction {found.pk} was not made of unassigned energy")
        if not _is_as_made(found):
            raise NotPossible(
                f"transaction {found.pk} has changed since; undoing would lose that change"
            )
        assert found.stopped_at is not None
        before = {"id_tag": found.id_tag, "energy": found.energy, "meter_start": found.meter_start}
        note(who, [found], "unassigned energy taken back", before, {})
        assign(of_transaction(found.pk), None)
        month = month_of(found.stopped_at, zone_of_site(found.charge_point))
        charge_point, pk = found.charge_point, found.pk
        with changes_told(lambda: [pk]):
            found.delete()
        renew([charge_point.pk], month, month, timezone.now())
    log.info("%s: transaction %s: unassigned energy taken back", charge_point, pk)


def _made(charge_point: ChargePoint, place: Place) -> QuerySet[Transaction]:
    evse, connector = place
    rows = Transaction.objects.filter(charge_point=charge_point, evse=evse, flags__contains=FLAG)
    return rows.filter(connector=connector or None)


def _insert(
    charge_point: ChargePoint,
    place: Place,
    stretch: tuple[datetime, Decimal, datetime, Decimal],
    payer: str,
) -> Transaction:
    since, wh_from, until, wh_until = stretch
    evse, connector = place
    now, pk = timezone.now(), sessions.new_id()
    alike = Transaction.objects.filter(
        charge_point=charge_point,
        connector=connector or None,
        id_tag=payer,
        started_at=since,
        meter_start=wh_from,
    )
    with changes_told(lambda: [pk]):
        return Transaction.objects.create(
            pk=pk,
            charge_point=charge_point,
            evse=evse,
            connector=connector or None,
            state=Transaction.State.STOPPED,
            id_tag=payer,
            occurrence=alike.count(),
            started_at=since,
            start_received_at=now,
            meter_start=wh_from,
            stopped_at=until,
            stop_received_at=now,
            meter_stop=wh_until,
            stop_reason="Other",
            energy=wh_until - wh_from,
            power=0,
            meter_last=wh_until,
            meter_last_at=until,
            flags=MADE,
            # A person's word: nothing automatic changes it.
            energy_source=CORRECTED,
            confidence="medium",
        )


def _join(made: Transaction) -> None:
    """Its samples are its own from now on."""
    assert made.stopped_at is not None
    found = loose(made.charge_point_id, made.started_at, made.stopped_at, made.connector or 0)
    assign([item for item in found if item.evse == made.evse], made.pk)


def _is_as_made(row: Transaction) -> bool:
    if row.meter_stop is None or row.meter_start is None:
        return False
    if (row.state, row.energy_source) != (Transaction.State.STOPPED, CORRECTED):
        return False
    corrected = MeterValueCorrection.objects.filter(transaction=row, undone_at=None)
    return row.energy == row.meter_stop - row.meter_start and not corrected.exists()
