"""Households and tariffs when a charge point is replaced: they go on with the new one."""

from datetime import date

from django.utils.translation import gettext_noop

from levity.billing.models import Assignment, TariffUse
from levity.ocpp.audit import Noted, note, note_each
from levity.ocpp.deciding import NotPossible
from levity.ocpp.decisions.replacing import Replacement

__all__ = ["move_what_is_assigned"]


def move_what_is_assigned(done: Replacement) -> None:
    """What holds for the old one ends that day, and goes on with the new one on the same day:
    sessions of either on that day are the household's, at the same tariff. What begins later is
    the new one's only; what is over stays.

    Raises `NotPossible` where the new one is another household's, or has another tariff, already.
    """
    _move_assignments(done)
    _move_tariffs(done)


def _move_assignments(done: Replacement) -> None:
    rows = Assignment.objects.select_for_update(of=("self",)).select_related("household")
    taken = list(rows.filter(charge_point=done.new))
    noted = []
    for row in rows.filter(charge_point=done.old):
        if _is_over(row, done.day):
            continue
        goes_on = Assignment(
            household=row.household,
            charge_point=done.new,
            connector=row.connector,
            first_day=max(row.first_day, done.day),
            last_day=row.last_day,
        )
        for other in taken:
            if other.held.meets(goes_on.held):
                raise NotPossible(
                    gettext_noop(
                        "%(household)s has %(charger)s %(days)s already: end that assignment first"
                    ),
                    charger=done.new,
                    household=other.household,
                    days=other.days,
                )
        goes_on.save()
        _end(row, row.first_day, done.day)
        since = goes_on.first_day
        what = f"charges at {done.new.identity} instead of {done.old.identity} since {since}"
        noted.append(Noted(row.household, what, {}, {}))
    note_each(done.who, noted)


def _move_tariffs(done: Replacement) -> None:
    rows = TariffUse.objects.select_for_update(of=("self",)).select_related("tariff")
    taken = list(rows.filter(charge_point=done.new))
    moved = []
    for row in rows.filter(charge_point=done.old):
        if _is_over(row, done.day):
            continue
        goes_on = TariffUse(
            tariff=row.tariff,
            charge_point=done.new,
            first_day=max(row.first_day or done.day, done.day),
            last_day=row.last_day,
        )
        if any(other.use.meets(goes_on.use) for other in taken):
            raise NotPossible(
                gettext_noop("%(charger)s has a tariff of its own already: end that one first"),
                charger=done.new,
            )
        goes_on.save()
        _end(row, row.first_day, done.day)
        moved.append(goes_on)
    note(done.who, moved, f"added: {done.new.identity} is in the place of {done.old.identity}")


def _is_over(row: Assignment | TariffUse, day: date) -> bool:
    return row.last_day is not None and row.last_day < day


def _end(row: Assignment | TariffUse, first: date | None, day: date) -> None:
    """Of the old one: it ends that day, or has never been."""
    if first is not None and first > day:
        row.delete()
    else:
        row.last_day = day
        row.save(update_fields=["last_day"])
