"""The pages of users save by the decisions that the API uses: the same rights, the same audit."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from levity.ocpp.models import AuditEntry, Site

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough pass phrase"


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def told() -> list[str]:
    rows = AuditEntry.objects.filter(kind="auth.user").order_by("pk")
    found = list(rows.values_list("what", flat=True))
    rows.delete()
    return found


def form_of(user: User, **more: Any) -> dict[str, Any]:
    """The page of a user as it is sent."""
    account = getattr(user, "account", None)
    return {
        "username": user.username,
        "is_active": "on",
        "account-TOTAL_FORMS": 1,
        "account-INITIAL_FORMS": int(account is not None),
        "account-0-id": account.pk if account else "",
        "account-0-user": user.pk,
        **more,
    }


def test_a_user_from_the_first_day_to_the_last() -> None:
    client = browser(User.objects.create_superuser("anna"))
    data = {
        "username": "ben",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    assert client.post("/admin/auth/user/add/", data).status_code == 302
    ben = User.objects.get(username="ben")
    assert (ben.is_staff, ben.check_password(PASSWORD)) == (False, True)
    assert told() == ["user added"]
    role, site = Group.objects.get(name="Operator"), Site.objects.create(name="Garage")
    page = f"/admin/auth/user/{ben.pk}/change/"
    given = {"is_staff": "on", "groups": [role.pk], "account-0-limited": "on"}
    data = form_of(ben, **given, **{"account-0-sites": [site.pk]})
    assert client.post(page, data).status_code == 302
    ben = User.objects.get(username="ben")
    assert (ben.is_staff, list(ben.groups.all()), list(ben.account.sites.all())) == (
        True,
        [role],
        [site],
    )
    assert told() == ["changed: is_staff, roles", "changed: sites"]
    # Sent again as it is, nothing was changed.
    again = form_of(ben, **given, **{"account-0-sites": [site.pk]})
    assert client.post(page, again).status_code == 302
    assert told() == []
    new = {"usable_password": "true", "password1": f"{PASSWORD}!", "password2": f"{PASSWORD}!"}
    assert client.post(f"/admin/auth/user/{ben.pk}/password/", new).status_code == 302
    assert told() == ["password set"]
    assert client.post(f"/admin/auth/user/{ben.pk}/delete/", {"post": "yes"}).status_code == 302
    assert told() == ["deleted"]
    assert not User.objects.filter(username="ben").exists()


def test_nobody_switches_somebody_on_who_may_do_more() -> None:
    """Django says that a user who is switched off has no permissions at all."""
    manager = User.objects.create_user("max", is_staff=True)
    keeper = Group.objects.create(name="Keeper")
    keeper.permissions.set(
        Group.objects.get(name="Admin").permissions.filter(content_type__model="user")
    )
    manager.groups.add(keeper)
    chief = User.objects.create_user("carla", is_staff=True, is_active=False)
    chief.groups.add(Group.objects.get(name="Admin"))
    client = browser(manager)
    page = f"/admin/auth/user/{chief.pk}/change/"
    assert client.post(page, form_of(chief)).status_code == 403
    new = {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    assert client.post(f"/admin/auth/user/{chief.pk}/password/", new).status_code == 403
    assert not User.objects.get(pk=chief.pk).is_active
    equal = User.objects.create_user("eva", is_active=False)
    data = form_of(equal, is_staff="on")
    assert client.post(f"/admin/auth/user/{equal.pk}/change/", data).status_code == 302
    assert User.objects.get(pk=equal.pk).is_active
