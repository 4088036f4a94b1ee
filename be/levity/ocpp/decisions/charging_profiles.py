"""Charging profiles that chargers have, as far as is known; and taking one back.

What they answer comes through the pipeline (`store/charging_profiles.py`).
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from levity.db.prepared import Prepared
from levity.ocpp.audit import Who, note
from levity.ocpp.commands.sending import SEND, send
from levity.ocpp.deciding import NotPossible, check
from levity.ocpp.models import ChargePoint, Command, InstalledProfile, Transaction
from levity.ocpp.versions import version_of
from levity_ws.frozen import frozen

__all__ = ["Installed", "clear_one", "doubts_about", "end_profiles", "installed"]

State = InstalledProfile.State


@frozen
class Installed:
    """A profile that a charger has, and why that is not sure; empty if it is."""

    profile: InstalledProfile
    doubt: str


def installed(charge_point: ChargePoint, now: datetime | None = None) -> list[Installed]:
    """Those that this charger has, as far as is known: the highest stack level first."""
    now = now or timezone.now()
    rows = InstalledProfile.objects.filter(charge_point=charge_point, state=State.INSTALLED)
    ordered = rows.order_by("connector", "purpose", "-stack_level", "-pk")[:200]
    return [Installed(row, doubts_about(row, charge_point, now)) for row in ordered]


def doubts_about(profile: InstalledProfile, charge_point: ChargePoint, now: datetime) -> str:
    """Why it is not sure that the charger still has it, or goes by it; empty if nothing is known
    against it."""
    doubts = []
    booted = charge_point.booted_at
    if booted is not None and booted > profile.installed_at:
        doubts.append("The charger has rebooted since: some forget their profiles then.")
    if profile.valid_to is not None and profile.valid_to <= now:
        doubts.append("Its validity is over.")
    elif profile.valid_from is not None and profile.valid_from > now:
        doubts.append("It is not valid yet.")
    return " ".join(doubts)


def clear_one(profile: InstalledProfile, who: Who, *, source: str) -> Command:
    """Ask the charger to drop just this one."""
    check(profile, who, SEND)
    if profile.state != State.INSTALLED:
        raise NotPossible(f"this profile is not installed any more: {profile.get_state_display()}")
    charge_point = profile.charge_point
    asked = version_of(charge_point.subprotocol).asks.clear_profile(profile.profile_id)
    with transaction.atomic():
        command = send(charge_point, *asked, who, source=source).command
        note(who, [profile], "clearing requested")
    return command


def end_profiles(now: datetime) -> int:
    """Close the profiles of sessions that are over: a charger drops them with the session."""
    if not _OVER.rows():
        return 0
    return _over(InstalledProfile.objects.all()).update(
        state=State.ENDED, reason="its session is over", ended_at=now
    )


def _over(rows: QuerySet[InstalledProfile]) -> QuerySet[InstalledProfile]:
    # With its number, or the first one that began there after it was accepted.
    named = Transaction.objects.filter(pk=OuterRef("session")).exclude(state="active")
    begun = Transaction.objects.filter(
        charge_point=OuterRef("charge_point"),
        start_received_at__gte=OuterRef("installed_at"),
        connector=OuterRef("connector"),
    ).exclude(state="active")
    return rows.filter(
        Q(Exists(named)) | Q(Exists(begun), session=None),
        state=State.INSTALLED,
        purpose="TxProfile",
    )


_OVER = Prepared(
    lambda: _over(InstalledProfile.objects.order_by()).values_list("pk")[:1], parameters=0
)
