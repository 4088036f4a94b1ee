"""Three roles: viewer, operator, admin. They are groups, which every `migrate` creates or
completes. Permissions that are added stay; permissions that are removed come back: for other
rights, create a group of your own.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

__all__ = ["ROLES", "keep_roles", "permissions_of"]

VIEWER, OPERATOR, ADMIN = ROLES = ("Viewer", "Operator", "Admin")

# What an operator does besides viewing: send commands, decide about quarantined messages and
# unassigned energy, acknowledge alerts, edit charge points and id tags, upload and send firmware.
OPERATES = (
    "add_command",
    "add_chargepoint",
    "change_chargepoint",
    "change_quarantinedmessage",
    "change_unassignedenergy",
    "change_alert",
    "add_idtag",
    "change_idtag",
    "add_firmware",
    "add_campaign",
    "add_configurationtemplate",
    "change_configurationtemplate",
)
# An admin also manages sites, users, logins and the API's tokens. Groups are left to superusers:
# anyone who may change the permissions of a role may do everything.
ADMINISTERS = Q(content_type__app_label__in=("accounts", "api", "integrations")) | Q(
    content_type__app_label="auth",
    codename__in=("view_user", "add_user", "change_user", "delete_user", "view_group"),
)
LOGINS = Q(
    content_type__app_label="axes",
    codename__in=("view_accessattempt", "delete_accessattempt", "view_accesslog"),
)


def permissions_of(role: str) -> Iterable[Permission]:
    """The permissions of a role, as far as their tables exist.

    What everybody did (the audit) is for admins; the history of an object for all who see it.
    """
    ours = Q(content_type__app_label__in=("ocpp", "operation", "files", "billing"))
    events = Q(content_type__app_label="integrations", codename="view_event")
    views = events | ours & Q(codename__startswith="view_") & ~Q(codename="view_auditentry")
    # One's own tokens for the API, that is; an admin's permission to change them is for all.
    views |= Q(codename="view_apitoken")
    wanted = {
        VIEWER: views,
        OPERATOR: views | (ours & Q(codename__in=OPERATES)) | Q(codename="add_apitoken"),
        ADMIN: ours | ADMINISTERS | LOGINS,
    }
    return Permission.objects.filter(wanted[role])


def keep_roles(using: str = "default", **kwargs: Any) -> None:
    """After a migration: create each role, with its permissions."""
    for name in ROLES:
        role, _ = Group.objects.using(using).get_or_create(name=name)
        wanted = permissions_of(name).using(using)  # type: ignore[attr-defined]
        missing = wanted.exclude(group=role)
        role.permissions.add(*missing)
