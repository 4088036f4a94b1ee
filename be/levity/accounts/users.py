"""Users: added with a role, changed, limited to sites, switched off and on, deleted.

Nobody gives, or takes from, somebody more rights than they have themselves.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import Group, User
from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from levity.accounts.models import Account
from levity.ocpp.audit import Who, note
from levity.ocpp.deciding import NotAllowed, NotPossible
from levity.ocpp.models import Site
from levity.ocpp.visibility import is_limited

__all__ = ["add_user", "change_user", "delete_user", "limit_user", "permissions_of", "set_active"]

CHANGE = "auth.change_user"
AUDITED = ("username", "first_name", "last_name", "email", "is_active", "is_staff", "is_superuser")


def add_user(
    row: User,
    roles: Iterable[Group],
    who: Who,
    *,
    password: str | None = None,
    sites: Iterable[Site] | None = None,
    staff: bool = True,
) -> User:
    """Somebody who may log in to the pages (`staff`) with these roles. `sites`: only these; None:
    all.

    Without a password, nobody can log in until an admin sets one. Raises `NotAllowed` for roles
    that may do more than `who`, and `ValidationError` for values that do not fit.
    """
    _may(who, "auth.add_user")
    roles = list(roles)
    for role in roles:
        _role_within_reach(who, role)
    row.is_staff, row.is_superuser, row.is_active = staff, False, True
    row.set_unusable_password()
    row.full_clean()
    if password is not None:
        validate_password(password, row)
        row.set_password(password)
    with transaction.atomic():
        row.save(force_insert=True)
        row.groups.set(roles)
        limited_to = None if sites is None else list(sites)
        if limited_to is not None:
            account = Account.objects.create(user=row, limited=True)
            account.sites.set(limited_to)
        after: dict[str, Any] = {"roles": [role.name for role in roles]}
        if limited_to is not None:
            after["sites"] = [site.name for site in limited_to]
        note(who, [row], "user added", {}, after)
    return row


def change_user(
    row: User, values: Mapping[str, Any], who: Who, *, roles: Iterable[Group] | None = None
) -> User:
    """Their name, address, access and roles (None: as they are); nothing else of the row.

    Raises `NotAllowed`, and `ValidationError` for values that do not fit.
    """
    if unknown := set(values) - set(AUDITED):
        raise NotPossible(f"{min(unknown)} of a user can't be changed here")
    _may_change(row, who)
    with transaction.atomic():
        found = User.objects.select_for_update(no_key=True).get(pk=row.pk)
        changed = [name for name in values if getattr(found, name) != values[name]]
        if "is_superuser" in changed and who is not None and not who.is_superuser:
            raise NotAllowed("only a superuser may make a superuser")
        if "is_active" in changed:
            _not_oneself(found, who, values["is_active"])
        before: dict[str, Any] = {name: getattr(found, name) for name in changed}
        after: dict[str, Any] = {name: values[name] for name in changed}
        for name, value in after.items():
            setattr(found, name, value)
        if changed:
            found.full_clean()
            found.save(update_fields=changed)
        if roles is not None:
            had, given = set(found.groups.all()), set(roles)
            for role in given - had:
                _role_within_reach(who, role)
            if had != given:
                found.groups.set(given)
                before["roles"], after["roles"] = (
                    sorted(role.name for role in each) for each in (had, given)
                )
        if after:
            note(who, [found], f"changed: {', '.join(after)}", before, after)
    return found


def limit_user(row: User, sites: Iterable[Site] | None, who: Who) -> None:
    """They see these sites only; None: all."""
    _may_change(row, who)
    with transaction.atomic():
        account, _ = Account.objects.select_for_update(no_key=True).get_or_create(user=row)
        before = _limits_of(account)
        account.limited = sites is not None
        account.save(update_fields=["limited"])
        account.sites.set(list(sites or ()))
        after = _limits_of(account)
        if before != after:
            note(who, [row], "changed: sites", {"sites": before}, {"sites": after})


def delete_user(row: User, who: Who) -> None:
    """What they did stays in the audit, with their name."""
    _may_change(row, who, "auth.delete_user")
    _not_oneself(row, who, False)
    with transaction.atomic():
        note(who, [row], "deleted")
        row.delete()


def set_active(row: User, who: Who, *, active: bool) -> bool:
    """Let this user log in, or not any more: sessions and tokens end at once. False if it was so
    already."""
    _may_change(row, who)
    _not_oneself(row, who, active)
    with transaction.atomic():
        if not User.objects.filter(pk=row.pk, is_active=not active).update(is_active=active):
            return False
        note(who, [row], "user switched on" if active else "user switched off")
    row.is_active = active
    return True


def permissions_of(row: User) -> set[str]:
    """Those of an account that is off as well: Django says none."""
    found = User(pk=row.pk, is_active=True, is_superuser=row.is_superuser)
    return set(found.get_all_permissions())


def _limits_of(account: Account) -> list[str] | str:
    if not account.limited:
        return "all"
    return sorted(account.sites.values_list("name", flat=True))


def _may_change(row: User, who: Who, permission: str = CHANGE) -> None:
    _may(who, permission)
    if who is not None and row.is_superuser and not who.is_superuser:
        raise NotAllowed("only a superuser may change a superuser")
    _within_reach(who, (name.split(".", 1) for name in permissions_of(row)))


def _not_oneself(row: User, who: Who, active: bool) -> None:
    if who is not None and not active and who.pk == row.pk:
        raise NotAllowed("nobody can switch themselves off")


def _role_within_reach(who: Who, role: Group) -> None:
    _within_reach(who, role.permissions.values_list("content_type__app_label", "codename"))


def _within_reach(who: Who, permissions: Iterable[Any]) -> None:
    for app, name in permissions:
        if who is not None and not who.has_perm(f"{app}.{name}"):
            raise NotAllowed(f"that is more than you may yourself: {app}.{name}")


def _may(who: Who, permission: str) -> None:
    if who is not None and not who.has_perm(permission):
        raise NotAllowed(f"your role, or your token's scope, lacks the permission {permission}")
    if who is not None and is_limited(who):
        raise NotAllowed("users are managed by people who see all sites")
