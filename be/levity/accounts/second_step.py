"""The second step of a login: a code from the phone, or one of the codes on paper.

django-otp keeps the devices and checks the codes: each is good once, and every wrong one makes the
next attempt wait longer. This module says who needs one, and what a person's devices are.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django_otp import verify_token
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

__all__ = [
    "CODES",
    "check_code",
    "codes_left",
    "confirm",
    "is_on",
    "missing_step",
    "new_codes",
    "new_device",
    "switch_off",
    "waiting_until",
]

CODES = 10
ENROL, VERIFY = "two_factor", "two_factor_verify"


def is_on(user: Any) -> bool:
    """True if this person set up a second step. AccountBackend has looked already."""
    known = getattr(user, "has_second_step", None)
    if known is None:
        known = TOTPDevice.objects.filter(user=user, confirmed=True).exists()
    return bool(known)


def missing_step(user: Any) -> str:
    """The name of the page on which this person's login goes on; empty: he is in."""
    if user.is_verified():
        return ""
    if is_on(user):
        return VERIFY
    return ENROL if settings.LEVITY_REQUIRE_TWO_FACTOR else ""


def new_device(user: Any) -> TOTPDevice:
    """The device that this person is just setting up: it does not count before its first code."""
    device, _ = TOTPDevice.objects.get_or_create(
        user=user, confirmed=False, defaults={"name": "phone"}
    )
    return device


def confirm(device: TOTPDevice, code: str) -> bool:
    """Take the device into use if this is its code; the one before it, if any, goes."""
    with transaction.atomic():
        device = TOTPDevice.objects.select_for_update().get(pk=device.pk)
        if not device.verify_token(code):
            return False
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        TOTPDevice.objects.filter(user=device.user_id).exclude(pk=device.pk).delete()
    return True


def check_code(user: Any, code: str) -> Device | None:
    """The device whose code this is; a code on paper is used up. None: no such code."""
    for device in _devices(user, code):
        if verify_token(user, device.persistent_id, code) is not None:
            return device
    return None


def waiting_until(user: Any, code: str) -> datetime | None:
    """Until when no code is looked at, after too many wrong ones."""
    ends = []
    for device in _devices(user, code):
        allowed, reason = device.verify_is_allowed()
        if not allowed and reason and reason.get("locked_until"):
            ends.append(reason["locked_until"])
    return max(ends, default=None)


def _devices(user: Any, code: str) -> Sequence[Device]:
    model = TOTPDevice if code.isdigit() else StaticDevice
    return list(model.objects.filter(user=user, confirmed=True))


def new_codes(user: Any) -> list[str]:
    """Codes to write down, for the day on which the phone is gone; the ones before are void."""
    codes = [StaticToken.random_token() for _ in range(CODES)]
    with transaction.atomic():
        StaticDevice.objects.filter(user=user).delete()
        device = StaticDevice.objects.create(user=user, name="paper")
        StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return codes


def codes_left(user: Any) -> int:
    """How many codes on paper are not used up."""
    return StaticToken.objects.filter(device__user=user).count()


def switch_off(user: Any) -> bool:
    """Take all of this person's devices away; False if there was none."""
    with transaction.atomic():
        deleted, _ = TOTPDevice.objects.filter(user=user).delete()
        StaticDevice.objects.filter(user=user).delete()
    return deleted > 0
