"""Charge points as people enter them: added, changed, who may charge there, their line."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from levity.ocpp.audit import Who, note
from levity.ocpp.conf import setting
from levity.ocpp.deciding import (
    PORTION,
    Decided,
    Left,
    NotAllowed,
    NotPossible,
    allowed,
    check,
    decide_all,
    delete_unreferenced,
)
from levity.ocpp.decisions.charge_point_values import checked
from levity.ocpp.decisions.keys import WITH_KEY
from levity.ocpp.models import Authorization, ChargePoint, Site
from levity.ocpp.store import lines
from levity.ocpp.visibility import is_limited

__all__ = [
    "CHANGE",
    "ENTERED",
    "NO_SITE",
    "HasSessions",
    "add",
    "add_all",
    "change",
    "check_site",
    "delete_charge_point",
    "forget_line",
    "known_tags_only",
    "may_add",
    "needs_key",
]

CHANGE = "ocpp.change_chargepoint"
ENTERED = (
    *("identity", "name", "site", "registration", "authorization", "time_zone", "quirk_profile"),
    *("quirk_overrides", "max_power", "heartbeat_interval", "ping_interval", "call_timeout"),
    *("certificate_name", "notes"),
)
"""What people write of a charge point."""
NO_SITE = "only users of all sites see a charge point without a site: choose one of your sites"


class HasSessions(NotPossible):
    """A charge point with sessions is not deleted."""


def add(row: ChargePoint, who: Who) -> ChargePoint:
    """One that has not connected yet; it begins with the security profile of its site.

    Raises `ValidationError` for values that do not fit.
    """
    if not may_add(who):
        raise NotAllowed("only a user of all sites who may add charge points can do that")
    for name, value in checked({name: getattr(row, name) for name in ENTERED}, row).items():
        setattr(row, name, value)
    row.security_profile = _first_profile(row)
    row.full_clean()
    with transaction.atomic():
        row.save(force_insert=True)
        note(who, [row], "added", {}, {"security_profile": row.security_profile})
    return row


def add_all(rows: Sequence[ChargePoint], who: Who) -> None:
    """`add` for many whose values were checked, of identities that are not recorded yet."""
    if rows and not may_add(who):
        raise NotAllowed("only a user of all sites who may add charge points can do that")
    for row in rows:
        row.security_profile = _first_profile(row)
    with transaction.atomic():
        made = ChargePoint.objects.bulk_create(rows, batch_size=PORTION)
        note(who, made, "added with others")


def _first_profile(row: ChargePoint) -> int:
    own = row.site.security_profile if row.site else None
    return int(setting("OCPP_SECURITY_PROFILE") if own is None else own)


def may_add(who: Who) -> bool:
    """A new one may turn out to be at any site."""
    return who is None or (who.has_perm("ocpp.add_chargepoint") and not is_limited(who))


def needs_key(row: ChargePoint) -> bool:
    """True if it can't connect before a key is set."""
    return row.security_profile in WITH_KEY


def change(row: ChargePoint, values: Mapping[str, Any], who: Who) -> ChargePoint:
    """Its name, site, quirk profile and the like; nothing else of the row is written.

    See `check_site`. Raises `ValidationError` for values that do not fit.
    """
    check(row, who, CHANGE)
    values = checked(values, row)
    if "site" in values:
        check_site(values["site"], who)
    with transaction.atomic():
        found = ChargePoint.objects.select_for_update(of=("self",), no_key=True).get(pk=row.pk)
        values = {name: value for name, value in values.items() if getattr(found, name) != value}
        if not values:
            return found
        columns = ["site_id" if name == "site" else name for name in values]
        before = {name: getattr(found, name) for name in columns}
        for name, value in values.items():
            setattr(found, name, value)
        found.clean_fields(exclude={*_fields(found)} - {*values})
        found.save(update_fields=list(values))
        after = {name: getattr(found, name) for name in columns}
        note(who, [found], f"changed: {', '.join(values)}", before, after)
    return found


def check_site(site: Site | None, who: Who) -> None:
    """Raise `NotAllowed` unless this person sees a charge point of this site (None: of no site)."""
    if site is not None:
        check(site, who)
    elif is_limited(who):
        raise NotAllowed(NO_SITE)


def delete_charge_point(row: ChargePoint, who: Who) -> None:
    """One at which nothing was ever charged, with its log; the records keep the others."""
    check(row, who, "ocpp.delete_chargepoint")
    if row.transactions.exists():
        raise HasSessions(f"{row} has sessions, which are kept: retire it instead")
    with transaction.atomic():
        note(who, [row], "deleted")
        delete_unreferenced(row)


def known_tags_only(rows: QuerySet[ChargePoint], who: Who) -> Decided:
    """No one charges there without a card that is on the list."""
    rows = allowed(rows, who, CHANGE)
    known = Authorization.KNOWN
    total = rows.count()
    done = decide_all(
        rows,
        who,
        "authorization: known tags only",
        lambda found: found.update(authorization=known),
        only=~Q(authorization=known),
        before=["authorization"],
        after={"authorization": str(known)},
    )
    return _decided(done, total, "already had this rule")


def forget_line(rows: QuerySet[ChargePoint], who: Who) -> Decided:
    """Forget what was learned of their line: the heartbeat interval is the profile's, or the
    setting's, from the next boot on."""
    rows = allowed(rows, who, CHANGE)
    now, total = timezone.now(), rows.count()
    done = decide_all(
        rows,
        who,
        "cleared what was learned about its connection",
        lambda found: lines.forget_line(list(found.values_list("pk", flat=True)), now),
        only=Q(learned_silence__isnull=False),
        before=["learned_silence"],
        after={"learned_silence": None},
    )
    return _decided(done, total, "nothing had been learned about them")


def _fields(row: ChargePoint) -> list[str]:
    return [field.name for field in row._meta.fields]


def _decided(done: int, total: int, why: str) -> Decided:
    return Decided(done, (Left(total - done, why),) if total > done else ())
