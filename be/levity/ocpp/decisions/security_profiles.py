"""With what a charge point must prove who it is: set here, or raised over OCPP."""

from django.db import transaction
from django.utils import timezone

from levity.ocpp.audit import Who, note
from levity.ocpp.commands.lifecycle import queue
from levity.ocpp.deciding import NotPossible, check
from levity.ocpp.decisions.keys import CHANGE, SOURCE, WITH_KEY, has_key
from levity.ocpp.models import ChargePoint, Credential, SecurityProfile
from levity.ocpp.versions import version_of

__all__ = ["CannotChangeProfile", "raise_profile", "set_profile"]


class CannotChangeProfile(NotPossible):
    """Not to this profile, as things are."""


def set_profile(charge_point: ChargePoint, profile: int, who: Who, *, lower: bool = False) -> None:
    """What it must come with from its next connection on; a lower one only with `lower`."""
    check(charge_point, who, CHANGE)
    wanted = SecurityProfile(profile)
    with transaction.atomic():
        row = ChargePoint.objects.select_for_update(of=("self",), no_key=True).get(
            pk=charge_point.pk
        )
        now = row.security_profile
        if wanted < now and not lower:
            raise CannotChangeProfile(
                f"that is lower than the current profile ({now}). Confirm it with “Lower the "
                "profile” (in the API: lower)"
            )
        if wanted in WITH_KEY and not has_key(row):
            raise CannotChangeProfile(
                "no key is set: generate or set one first, otherwise the charger can't connect"
            )
        ChargePoint.objects.filter(pk=row.pk).update(
            security_profile=wanted, profile_since=timezone.now()
        )
        Credential.objects.filter(charge_point=row).update(next_profile=None)
        after = {"security_profile": int(wanted)}
        note(who, [row], "security: profile set", ["security_profile"], after)


def raise_profile(charge_point: ChargePoint, profile: int, who: Who) -> None:
    """Tell the charger to come with a higher profile; it counts here when it first does."""
    check(charge_point, who, CHANGE)
    if profile <= charge_point.security_profile:
        raise CannotChangeProfile(f"it is already {charge_point.security_profile}")
    asked = version_of(charge_point.subprotocol).asks.security_profile(profile)
    with transaction.atomic():
        queue(charge_point, *asked, source=SOURCE, requested_by=who)
        note(who, [charge_point], f"security: told over OCPP to connect with profile {profile}")
