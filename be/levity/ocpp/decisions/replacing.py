"""New hardware in the place of old: residents go on charging, and the history stays where it was.

The new charge point takes over name, site and rules, the id tags that are valid at the old one, and
its local list; it is sent the reservations and charging profiles (`taking_over`). Sessions,
messages, keys, configuration and firmware stay with the old one, which is retired. Other apps move
what is theirs: their `AppConfig` names a function in `levity_replaced` (docs/extending.md);
levity.billing moves the assignments of households.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.module_loading import import_string

from levity.ocpp.audit import Noted, Who, note, note_each
from levity.ocpp.commands import lifecycle
from levity.ocpp.deciding import NotAllowed, NotPossible, check, decide_all
from levity.ocpp.decisions import local_lists
from levity.ocpp.decisions.charge_points import add, may_add
from levity.ocpp.decisions.retiring import retire
from levity.ocpp.decisions.taking_over import TakenOver, take_over
from levity.ocpp.models import ChargePoint, Command, IdTag, LocalList
from levity.ocpp.store.loose import zone_of_site
from levity_ws.frozen import frozen

__all__ = ["Replacement", "replace"]

CHANGE = "ocpp.change_chargepoint"
MOVED = ("name", "site_id", "registration", "authorization", "time_zone")
HOOK = "levity_replaced"
LONGEST_IDENTITY, LONGEST_NAME = 48, 100


@frozen
class Replacement:
    """One charge point in the place of another, as the functions of `levity_replaced` get it.

    They are called inside the database transaction; `NotPossible` calls off all of it.
    """

    old: ChargePoint
    new: ChargePoint
    day: date
    """Of the site's clock. Sessions of this day may be of either."""
    who: Who
    taken: TakenOver = TakenOver()
    """Reservations and charging profiles that the new one is asked for."""


def replace(old: ChargePoint, identity: str, who: Who, now: datetime) -> Replacement:
    """Let the charge point of this identity take the place of another, which is retired.

    If there is none of this identity, it is added, with the security profile of the old one. It may
    be the identity of the old one itself, where the new hardware is set up under the same name: the
    old one then gets another (`garage-7-until-2026-11-30`). Raises `NotAllowed`, `NotPossible`,
    and `ValidationError` for an identity with which no charger could connect.
    """
    check(old, who, CHANGE)
    with transaction.atomic():
        old = _locked(old.pk)
        _check_old(old)
        day = timezone.localdate(now, zone_of_site(old))
        moved = {name: getattr(old, name) for name in MOVED}
        if identity.strip().lower() == old.identity.lower():
            identity = old.identity
            _rename(old, day, who)
        new = _new(identity.strip(), old, who)
        said = f"In the place of {old.identity} since {day}."
        before = {name: getattr(new, name) for name in MOVED}
        notes = "\n".join(part for part in (new.notes.strip(), said) if part)
        ChargePoint.objects.filter(pk=new.pk).update(**moved, notes=notes)
        note(who, [new], f"took the place of {old.identity}", before, moved)
        _leave(old, new, day, who)
        new.refresh_from_db()
        _move_tags(old, new, who)
        if LocalList.objects.filter(charge_point=old, is_on=True).exists():
            local_lists.switch(ChargePoint.objects.filter(pk=old.pk), who, on=False)
            local_lists.switch(ChargePoint.objects.filter(pk=new.pk), who, on=True)
        taken = take_over(old, new, who, now)
        done = Replacement(old, new, day, who, taken)
        for tell in _receivers():
            tell(done)
        retire(ChargePoint.objects.filter(pk=old.pk), who, now)
        old.refresh_from_db()
    return done


def _locked(pk: int) -> ChargePoint:
    rows = ChargePoint.objects.select_related("site")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=pk)


def _check_old(old: ChargePoint) -> None:
    if old.retired_at is not None:
        raise NotPossible(f"{old} is retired already: bring it back into use first")
    if old.connection is not None:
        raise NotPossible(
            f"{old} is connected: switch the old charger off, or remove Levity's address from it, "
            "first"
        )


def _new(identity: str, old: ChargePoint, who: Who) -> ChargePoint:
    found = ChargePoint.objects.filter(identity__iexact=identity).first()
    if found is None and not may_add(who):
        # As `check` says of one that somebody does not see.
        raise NotAllowed("there is no such charge point at your sites")
    if found is None:
        row = add(ChargePoint(identity=identity, site=old.site), who)
        if old.security_profile > row.security_profile:
            ChargePoint.objects.filter(pk=row.pk).update(security_profile=old.security_profile)
        return _locked(row.pk)
    check(found, who, CHANGE)
    found = _locked(found.pk)
    if found.retired_at is not None:
        raise NotPossible(f"{found} is retired: bring it back into use first")
    return found


def _rename(old: ChargePoint, day: date, who: Who) -> None:
    """Give the identity free."""
    before = {"identity": old.identity}
    end = f"-until-{day}"
    number = 1
    while True:
        more = "" if number == 1 else f"-{number}"
        wanted = f"{old.identity[: LONGEST_IDENTITY - len(end) - len(more)]}{end}{more}"
        if not ChargePoint.objects.filter(identity__iexact=wanted).exists():
            break
        number += 1
    old.identity = wanted
    old.save(update_fields=["identity"])
    note(who, [old], "changed: identity", before, {"identity": wanted})


def _leave(old: ChargePoint, new: ChargePoint, day: date, who: Who) -> None:
    """What is to be read of the old one; what waits for it is sent to nobody."""
    end = f" (until {day})"
    name = f"{old.name[: LONGEST_NAME - len(end)]}{end}" if old.name else ""
    said = f"Replaced by {new.identity} on {day}."
    notes = "\n".join(part for part in (old.notes.strip(), said) if part)
    ChargePoint.objects.filter(pk=old.pk).update(name=name, notes=notes)
    note(who, [old], f"replaced by {new.identity}", {"name": old.name}, {"name": name})
    decide_all(
        Command.objects.filter(charge_point=old),
        who,
        "cancelled: its charge point was replaced",
        lifecycle.cancel,
        only=Q(state=Command.State.QUEUED),
        with_related=["charge_point"],
    )


def _move_tags(old: ChargePoint, new: ChargePoint, who: Who) -> None:
    """Id tags that are valid at the old one are valid at the new one instead."""
    places = IdTag.charge_points.through.objects
    tags = list(
        IdTag.objects.filter(charge_points=old).select_for_update(no_key=True, of=("self",))
    )
    places.filter(chargepoint=old).delete()
    places.bulk_create(
        [IdTag.charge_points.through(idtag=tag, chargepoint=new) for tag in tags],
        ignore_conflicts=True,
    )
    what = f"valid at {new.identity} instead of {old.identity}"
    note_each(who, [Noted(tag, what, {}, {}) for tag in tags])


def _receivers() -> Iterator[Callable[[Replacement], Any]]:
    for config in apps.get_app_configs():
        if (given := getattr(config, HOOK, None)) is not None:
            yield import_string(given) if isinstance(given, str) else given
