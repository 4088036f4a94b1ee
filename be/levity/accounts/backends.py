"""The logged-in user, with everything that the pages need to know, in one query."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.db.models import Exists, OuterRef
from django_otp.plugins.otp_totp.models import TOTPDevice

__all__ = ["AccountBackend"]


class AccountBackend(ModelBackend):
    """Django's own backend; its users come with their account and whether they have a second
    step.
    """

    def get_user(self, user_id: Any) -> Any:
        """The active user of this session, or None."""
        devices = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
        users = get_user_model().objects.select_related("account")
        user = users.annotate(has_second_step=Exists(devices)).filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
