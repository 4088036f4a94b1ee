"""The key of a charge point: set, made, removed, changed over OCPP; and wrong guesses forgotten.

A new key is told once, in what the function returns. Nothing that is kept leads back to it.
"""

from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from levity.ocpp.audit import Who, note
from levity.ocpp.chargers.security import keys
from levity.ocpp.commands.lifecycle import queue
from levity.ocpp.deciding import NotPossible, check
from levity.ocpp.models import (
    AuthFailure,
    ChargePoint,
    Credential,
    RefusedHandshake,
    SecurityProfile,
)
from levity.ocpp.versions import version_of

__all__ = [
    "CHANGE",
    "SOURCE",
    "WITH_KEY",
    "CannotChangeKey",
    "forget_guesses",
    "has_key",
    "is_locked",
    "keep_digest",
    "new_key",
    "remove_key",
    "rotate_key",
    "set_key",
    "unlock",
]

CHANGE = "ocpp.change_credential"
SOURCE = "admin: security"
WITH_KEY = (SecurityProfile.BASIC, SecurityProfile.BASIC_TLS)


class CannotChangeKey(NotPossible):
    """Not with this key, or not with this security profile."""


def new_key(charge_point: ChargePoint, who: Who) -> str:
    """A random key, told this once; the charger gets in with it only."""
    check(charge_point, who, CHANGE)
    key = keys.new_key()
    with transaction.atomic():
        keep_digest(charge_point, keys.digest_of(key.encode()), allow_short=False)
        note(who, [charge_point], "security: new key generated")
    return key


def set_key(charge_point: ChargePoint, key: str, who: Who, *, allow_short: bool = False) -> None:
    """The key that the charger has already, as text or as hexadecimal digits.

    `allow_short`: for chargers that send a short or an empty one.
    """
    check(charge_point, who, CHANGE)
    given = key.encode()
    if len(keys.canonical(given)) < keys.SHORTEST and not allow_short:
        raise CannotChangeKey(
            "this key is shorter than 16 bytes (32 hexadecimal digits). Generate one, or, if the "
            "charger supports no longer key, “Allow a short or empty key” (in the API: allow_short)"
        )
    with transaction.atomic():
        keep_digest(charge_point, keys.digest_of(given), allow_short=allow_short)
        note(who, [charge_point], "security: key set" + (", may be short" if allow_short else ""))


def remove_key(charge_point: ChargePoint, who: Who) -> None:
    """No key any more; not while its security profile needs one."""
    check(charge_point, who, CHANGE)
    with transaction.atomic():
        row = ChargePoint.objects.select_for_update(of=("self",), no_key=True).get(
            pk=charge_point.pk
        )
        if row.security_profile in WITH_KEY:
            raise CannotChangeKey(
                f"its security profile is {row.security_profile}, which needs a key. Set profile "
                "0 or 3 first"
            )
        if not has_key(row):
            raise CannotChangeKey("no key is set")
        Credential.objects.filter(charge_point=row).update(
            digest="", set_at=None, allow_short=False, next_digest="", next_command=None
        )
        note(who, [row], "security: key removed")


def rotate_key(charge_point: ChargePoint, who: Who) -> str:
    """Make a key and send it to the charger; told this once.

    The old one is good until the charger has accepted the new one, or comes with it.
    """
    check(charge_point, who, CHANGE)
    key = keys.new_key()
    asked = version_of(charge_point.subprotocol).asks.key(key)
    with transaction.atomic():
        queue(charge_point, *asked, source=SOURCE, requested_by=who)
        note(who, [charge_point], "security: new key sent over OCPP")
    return key


def unlock(charge_point: ChargePoint, who: Who) -> None:
    """Forget the wrong keys that were tried for it, so that the next one is looked at at once."""
    check(charge_point, who, CHANGE)
    with transaction.atomic():
        forget_guesses(charge_point.identity)
        note(who, [charge_point], "security: failed key attempts cleared")


def has_key(charge_point: ChargePoint) -> bool:
    """True if a key is set."""
    return Credential.objects.filter(charge_point=charge_point).exclude(digest="").exists()


def is_locked(charge_point: ChargePoint) -> bool:
    """True while wrong keys are counted that concern it."""
    identity = charge_point.identity
    here = AuthFailure.objects.filter(identity="", address__in=_locked_at(identity))
    return here.exists() or AuthFailure.objects.filter(identity=identity.lower()).exists()


def keep_digest(charge_point: ChargePoint, digest: str, *, allow_short: bool) -> None:
    """This is its key from now on; for the other decisions."""
    Credential.objects.update_or_create(
        charge_point=charge_point,
        defaults={
            "digest": digest,
            "set_at": timezone.now(),
            "allow_short": allow_short,
            "next_digest": "",
            "next_command": None,
        },
    )
    forget_guesses(charge_point.identity)


def forget_guesses(identity: str) -> None:
    """Forget the wrong guesses for this identity, and those of the addresses from where it was
    kept out; for the other decisions."""
    mine = AuthFailure.objects.filter(identity=identity.lower())
    tried_from = Q(address__in=mine.values("address")) | Q(address__in=_locked_at(identity))
    AuthFailure.objects.filter(tried_from, identity="").delete()
    mine.delete()


def _locked_at(identity: str) -> QuerySet[Any]:
    """Where it was kept out for what others guessed there."""
    refused = RefusedHandshake.objects.filter(identity__iexact=identity, reason="locked")
    return refused.order_by().values("address")
