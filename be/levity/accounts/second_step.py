"""The second step of a login: a code from the phone, or a recovery code. django-otp stores the
devices and checks the codes: each is valid once, and every wrong one makes the next attempt wait
longer. This module says who needs a code, and which devices a user has.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Length
from django_otp import verify_token
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.util import random_hex

from levity.accounts.models import Phone
from levity.secrets.sealing import Unreadable, keyed_digest, secret_keys

__all__ = [
    "CODES",
    "check_code",
    "codes_left",
    "confirm",
    "is_on",
    "missing_step",
    "new_codes",
    "new_device",
    "renew",
    "switch_off",
    "tidy",
    "waiting_until",
]

CODES = 10
PAPER = "code on paper"
IN_CLEAR = 8
"""Letters of a recovery code; its digest has 16."""
ENROL, VERIFY = "two_factor", "two_factor_verify"


def is_on(user: Any) -> bool:
    """True if this user has set up a second step. AccountBackend has already loaded it."""
    known = getattr(user, "has_second_step", None)
    if known is None:
        known = Phone.objects.filter(user=user, confirmed=True).exists()
    return bool(known)


def missing_step(user: Any) -> str:
    """The name of the page on which this user's login continues; empty: the login is complete."""
    if user.is_verified():
        return ""
    if is_on(user):
        return VERIFY
    return ENROL if settings.LEVITY_REQUIRE_TWO_FACTOR else ""


def new_device(user: Any) -> Phone:
    """The device that this user is setting up: it does not count before its first code."""
    device, _ = Phone.objects.get_or_create(user=user, confirmed=False, defaults={"name": "phone"})
    try:
        assert device.bin_key
    except Unreadable:
        renew(device)
    return device


def renew(device: Phone) -> None:
    """Another key: the one scanned before becomes invalid."""
    device.key = random_hex(20)
    device.save(update_fields=["key"])


def confirm(device: Phone, code: str) -> bool:
    """Activate the device if this is its code; a previous device is deleted."""
    with transaction.atomic():
        device = Phone.objects.select_for_update().get(pk=device.pk)
        if not device.verify_token(code):
            return False
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        Phone.objects.filter(user=device.user_id).exclude(pk=device.pk).delete()
    return True


def check_code(user: Any, code: str) -> Device | None:
    """The device whose code this is; a recovery code is used up. None: no such code. Raises
    `Unreadable` if SECRET_KEY was lost, and with it the key of the phone.
    """
    for device in _devices(user, code):
        given = code if isinstance(device, Phone) else _as_stored(device, code)
        if verify_token(user, device.persistent_id, given) is not None:
            return device
    return None


def waiting_until(user: Any, code: str) -> datetime | None:
    """Until when no code is checked, after too many wrong ones."""
    ends = []
    for device in _devices(user, code):
        allowed, reason = device.verify_is_allowed()
        if not allowed and reason and reason.get("locked_until"):
            ends.append(reason["locked_until"])
    return max(ends, default=None)


def _devices(user: Any, code: str) -> Sequence[Device]:
    model = Phone if code.isdigit() else StaticDevice
    return list(model.objects.filter(user=user, confirmed=True))


def new_codes(user: Any) -> list[str]:
    """New recovery codes, in case the phone is lost; previous ones become void."""
    codes = [StaticToken.random_token() for _ in range(CODES)]
    with transaction.atomic():
        StaticDevice.objects.filter(user=user).delete()
        device = StaticDevice.objects.create(user=user, name="paper")
        StaticToken.objects.bulk_create(
            StaticToken(device=device, token=_digests(code)[0]) for code in codes
        )
    return codes


def _digests(code: str) -> list[str]:
    """What is stored of a recovery code; the first with today's SECRET_KEY."""
    return [keyed_digest(code, PAPER, key) for key in secret_keys()]


def _as_stored(device: StaticDevice, code: str) -> str:
    """How the device stores this code; an earlier release stored codes unencrypted."""
    ways = [*_digests(code), *([code] if len(code) == IN_CLEAR else [])]
    known = device.token_set.filter(token__in=ways).values_list("token", flat=True).first()
    return known or ways[0]


def tidy() -> None:
    """Seal keys and digest codes that are unencrypted, and seal keys again after a new
    SECRET_KEY.
    """
    for phone in Phone.objects.all():
        with suppress(Unreadable):
            if not phone.is_in_order:
                before = phone.key
                Phone.objects.filter(pk=phone.pk, key=before).update(key=phone.sealed_key())
    for token in StaticToken.objects.annotate(length=Length("token")).filter(length=IN_CLEAR):
        StaticToken.objects.filter(pk=token.pk).update(token=_digests(token.token)[0])


def codes_left(user: Any) -> int:
    """How many recovery codes are left."""
    return StaticToken.objects.filter(device__user=user).count()


def switch_off(user: Any) -> bool:
    """Delete all devices of this user; False if there was none."""
    with transaction.atomic():
        deleted, _ = Phone.objects.filter(user=user).delete()
        StaticDevice.objects.filter(user=user).delete()
    return deleted > 0
