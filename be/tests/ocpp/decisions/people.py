"""People who decide: one who may do everything, and one who may do all that, but at one site."""

from typing import Any

from django.contrib.auth.models import Permission, User

from levity.accounts.models import Account
from levity.ocpp.models import AuditEntry, ChargePoint, Site

__all__ = ["audit_of", "chief", "limited_to", "stranger_at"]


def chief() -> User:
    """A superuser."""
    return User.objects.create_superuser("chief")


def limited_to(site: Site) -> User:
    """With every permission, at this site only."""
    user = User.objects.create_user("janitor", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="ocpp"))
    account = Account.objects.create(user=user, limited=True)
    account.sites.add(site)
    return User.objects.get(pk=user.pk)


def stranger_at(identity: str = "THEIRS", **values: Any) -> ChargePoint:
    """A charge point of another site."""
    site = Site.objects.create(name=f"site of {identity}")
    return ChargePoint.objects.create(identity=identity, site=site, **values)


def audit_of(row: Any) -> list[tuple[str, str]]:
    """(user name, what) of each entry about this row, the oldest first."""
    entries = AuditEntry.objects.filter(kind=row._meta.label_lower, object_id=str(row.pk))
    return list(entries.order_by("pk").values_list("who_name", "what"))
