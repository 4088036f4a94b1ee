"""Who sees and does what: every role at every address, every action and every row."""

import uuid
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from axes.models import AccessLog
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.contrib.messages import get_messages
from django.core.management.sql import emit_post_migrate_signal
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse

from levity.accounts.models import Account
from levity.billing.models import SessionPrice
from levity.monitoring.models import Alert
from levity.ocpp.models import AuditEntry, ChargePoint, Command, IdTag, Site, Transaction
from tests.few import few
from tests.pages.whole.rows import SHOWN, Page, one_of_each, pages
from tests.rows_of_two_sites import THEIRS, mixed

OWN, FOREIGN = "ownrow", "foreignrow"
OVERVIEW = "/admin/"
ROLES = ("Viewer", "Operator", "Admin")
Rows = dict[type[Model], Model]


class Place:
    """Two sites with a row of everything each, and what is in the tables."""

    def __init__(self) -> None:
        self.own, self.foreign = one_of_each(OWN, 1), one_of_each(FOREIGN, 2)
        self.site: Any = self.own[Site]

    def contents(self, only: str = "") -> dict[str, list[Any]]:
        """All rows of all tables that the admin shows; `only` those with this text in them."""
        found = {}
        for model in SHOWN:
            # A login leaves its own traces there.
            if model not in (User, AccessLog):
                rows = [tuple(row) for row in model._default_manager.order_by("pk").values_list()]
                found[model._meta.label] = [row for row in rows if only in str(row)]
        return found


@pytest.fixture
def place(db: None) -> Place:
    return Place()


def form(row: Model | None, action: str = "") -> dict[str, Any]:
    """What some button of some page might send; whoever may press it gets far with this."""
    pk = str(row.pk) if row else "1"
    return {
        "post": "yes",
        "_save": "Save",
        "action": action,
        "_selected_action": [pk],
        "select_across": "0",
        "index": "0",
        "target": [pk],
        "ids": pk,
        "key": str(uuid.uuid4()),
        "connector": "1",
        "id_tag": "X",
        "message": "Heartbeat",
        "call": "ClearCache",
        "text": "{}",
        "queue_offline": "on",
        "resolution": "dealt with",
        "note": "why",
        "transaction": pk,
        "started_at": "2026-01-01T00:00:00+00:00",
        "meter_start": "1",
        "name": "changed",
        "owner": "changed",
        "notes": "changed",
        "status": "Blocked",
        "registration": "Rejected",
        "quirk_overrides": "{}",
        "identity": "changed",
    }


def press_everything(client: Client, rows: Rows, addresses: Iterable[Page]) -> None:
    """POST to every address, and every action of every list, with these rows selected."""
    for page in addresses:
        if page.name in ("logout", "login", "password_change", "two_factor"):
            continue
        row = rows.get(page.model) if page.model else rows[ChargePoint]
        client.post(page.path, form(row))
    for model, row in rows.items():
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for name in admin.site._registry[model].actions or ():
            client.post(address, form(row, name))


def label(page: Page) -> str:
    return f"{page.name} {page.path}"


def test_migrate_makes_the_roles_and_keeps_what_a_site_added(db: None) -> None:
    more = Permission.objects.get(codename="delete_idtag")
    operator = Group.objects.get(name="Operator")
    operator.permissions.add(more)
    operator.permissions.remove(Permission.objects.get(codename="add_command"))
    for _ in range(2):
        emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
    assert sorted(Group.objects.values_list("name", flat=True)) == sorted(ROLES)
    names = set(operator.permissions.values_list("codename", flat=True))
    assert {"delete_idtag", "add_command", "change_quarantinedmessage"} <= names
    assert not {name for name in names if name.startswith("delete_")} - {"delete_idtag"}


def test_roles_grow_from_one_to_the_next(db: None) -> None:
    viewer, operator, chief = (
        set(Group.objects.get(name=name).permissions.values_list("codename", flat=True))
        for name in ROLES
    )
    assert all(name.startswith("view_") for name in viewer)
    assert viewer < operator < chief


# (What an operator may is between what the two may, as the test above says.)
@pytest.mark.parametrize("role", few(["", *ROLES], "", "Viewer", "Admin"))
@pytest.mark.usefixtures("unwritten")
def test_every_page_asks_for_its_permission(
    role: str, place: Place, person: Callable[..., User], browser: Callable[..., Client]
) -> None:
    """W-09: each role x each list and page: as its permissions say, and not otherwise."""
    user = User.objects.get(pk=person("somebody", role).pk)
    client = browser(user)
    request = RequestFactory().get("/")
    request.user = user
    wrong = []
    for page in pages(place.own):
        if page.model is None or not page.name.endswith(("_changelist", "_change", "_history")):
            continue
        keeper = admin.site._registry[page.model]
        row = place.own[page.model] if page.row else None
        may = keeper.has_view_or_change_permission(request, row)
        opts = page.model._meta
        asked = user.has_perm(f"{opts.app_label}.view_{opts.model_name}")
        status = client.get(page.path).status_code
        if status != (200 if may else 403) or (may and not asked):
            wrong.append((label(page), may, asked, status))
    assert wrong == []


@pytest.mark.slow
@pytest.mark.usefixtures("unwritten")
def test_who_may_only_look_changes_nothing_whatever_he_presses(
    place: Place, person: Callable[..., User], browser: Callable[..., Client]
) -> None:
    """W-09, W-13: nobody and a viewer; an operator, to see that it would."""
    before = place.contents()
    addresses = pages(place.own)
    for user in (None, person("viewer", "Viewer")):
        press_everything(browser(user), place.own, addresses)
        assert place.contents() == before
    press_everything(browser(person("operator", "Operator")), place.own, addresses)
    after = place.contents()
    changed = {name for name in after if after[name] != before[name]}
    assert {"ocpp.Command", "ocpp.ChargePoint", "ocpp.IdTag", "ocpp.QuarantinedMessage"} <= changed


@pytest.mark.slow
@pytest.mark.parametrize("role", ["Admin"])
def test_somebody_of_one_site_sees_nothing_of_another(
    role: str, place: Place, person: Callable[..., User], browser: Callable[..., Client]
) -> None:
    """W-09: every address with the other site's keys, every list, export, search and choice."""
    client = browser(person("limited", role, sites=[place.site]))
    seen, leaks, shown = [], [], 0
    for page in pages(place.foreign):
        answer = client.get(page.path)
        if answer.headers.get("Location") == OVERVIEW:
            # The overview is one of these pages; what it would say at its top is told here.
            text = "".join(map(str, get_messages(answer.wsgi_request))).encode()
            client.cookies.pop("messages", None)
        else:
            answer = client.get(page.path, follow=True) if "Location" in answer else answer
            text = b"".join(answer.streaming_content) if answer.streaming else answer.content
        # The key of an edge is its name; that it is none is said with the name that was asked for.
        if FOREIGN.encode() in text and FOREIGN not in page.path:
            leaks.append(label(page))
        if page.row and answer.status_code == 200 and not hasattr(answer, "redirect_chain"):
            seen.append(label(page))
        shown += OWN.encode() in text
    assert (seen, leaks) == ([], [])
    # Not because there is nothing to be seen.
    assert shown >= 10


@pytest.mark.slow
@pytest.mark.parametrize("ours_to_theirs", [True, False])
def test_what_refers_to_another_site_does_not_name_it(
    ours_to_theirs: bool, person: Callable[..., User], browser: Callable[..., Client]
) -> None:
    """The payer of a session here may live there: the page of its price said the name."""
    ours, _ = mixed(ours_to_theirs=ours_to_theirs)
    site: Any = ours[Site]
    client = browser(person("limited", "Admin", sites=[site]))
    leaks = []
    for page in pages(ours):
        answer = client.get(page.path, follow=True)
        text = b"".join(answer.streaming_content) if answer.streaming else answer.content
        if THEIRS.encode() in text:
            at = text.index(THEIRS.encode())
            leaks.append((label(page), text[max(0, at - 100) : at + 50]))
    assert leaks == []


def test_a_payer_who_is_not_named_is_not_found_by_name(
    root: User, person: Callable[..., User], browser: Callable[..., Client]
) -> None:
    """Asking for a name told whose session it was."""
    ours, _ = mixed(ours_to_theirs=True)
    site: Any = ours[Site]
    price = reverse("admin:billing_sessionprice_change", args=[ours[SessionPrice].pk])
    asked = reverse("admin:billing_sessionprice_changelist", query={"q": THEIRS})
    limited = person("limited", "Admin", sites=[site])
    found = [price in browser(who).get(asked).content.decode() for who in (root, limited)]
    assert found == [True, False]


CHOICES = (
    "/admin/autocomplete/?app_label=ocpp&model_name=command&field_name=charge_point&term=row",
    "/admin/autocomplete/?app_label=ocpp&model_name=chargepoint&field_name=site&term=row",
    "/admin/autocomplete/?app_label=ocpp&model_name=idtag&field_name=parent&term=row",
    "/admin/search/?s=row&extended=1",
    "/admin/ocpp/chargepoint/?q=row",
    "/admin/ocpp/transaction/?q=row",
    "/admin/ocpp/transaction/export/?q=row",
    "/admin/ocpp/message/?q=row",
    "/admin/ocpp/idtag/export/",
    "/admin/ocpp/message/?charge_point__id__exact={charger}",
    "/admin/ocpp/transaction/?charge_point__id__exact={charger}",
    "/admin/ocpp/transaction/export/?charge_point__id__exact={charger}",
    "/admin/ocpp/chargepoint/?site__id__exact={site}",
    "/admin/ocpp/command/add/?target={charger}",
)


@pytest.mark.parametrize("address", CHOICES)
def test_no_filter_and_no_choice_names_another_site(
    address: str, place: Place, person: Callable[..., User], browser: Callable[..., Client]
) -> None:
    """W-09."""
    client = browser(person("limited", "Operator", sites=[place.site]))
    path = address.format(charger=place.foreign[ChargePoint].pk, site=place.foreign[Site].pk)
    answer = client.get(path, follow=True)
    text = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert (answer.status_code in (200, 403), FOREIGN.encode() in text) == (True, False)


@pytest.mark.slow
@pytest.mark.parametrize("role", few(["Operator", "Admin"], "Admin"))
@pytest.mark.usefixtures("unwritten")
def test_somebody_of_one_site_changes_nothing_of_another(
    role: str, place: Place, person: Callable[..., User], browser: Callable[..., Client]
) -> None:
    """W-09: every address, every action, with the other site's rows."""
    before = place.contents(FOREIGN)
    assert all(before[model._meta.label] for model in (ChargePoint, Command, IdTag, Site))
    commands = Command.objects.count()
    client = browser(person("limited", role, sites=[place.site]))
    press_everything(client, place.foreign, pages(place.foreign))
    assert place.contents(FOREIGN) == before
    assert Command.objects.count() == commands


def test_a_charger_is_not_taken_to_another_site(
    place: Place, person: Callable[..., User], browser: Callable[..., Client]
) -> None:
    client = browser(person("limited", "Operator", sites=[place.site]))
    charger = place.own[ChargePoint]
    address = reverse("admin:ocpp_chargepoint_change", args=[charger.pk])
    page = client.get(address)
    values = {
        name: "" if value is None else value
        for name, value in page.context["adminform"].form.initial.items()
    }
    client.post(address, {**values, "quirk_overrides": "{}", "site": place.foreign[Site].pk})
    charger.refresh_from_db()
    assert charger.site == place.site
    assert client.get(address).status_code == 200


def test_who_is_limited_to_no_site_sees_none(
    place: Place, person: Callable[..., User], browser: Callable[..., Client]
) -> None:
    client = browser(person("limited", "Viewer", sites=[]))
    text = client.get(reverse("admin:ocpp_chargepoint_changelist")).content.decode()
    assert OWN not in text
    assert FOREIGN not in text


def as_posted(client: Client, address: str, **changes: Any) -> dict[str, Any]:
    """The form of a user as the page shows it, with these changes."""
    page = client.get(address)
    values = {
        name: value
        for name, value in page.context["adminform"].form.initial.items()
        if value is not None and not isinstance(value, list)
    }
    values["groups"] = [item.pk for item in page.context["adminform"].form.initial["groups"]]
    inline = "account"
    numbers = {"TOTAL_FORMS": 0, "INITIAL_FORMS": 0, "MIN_NUM_FORMS": 0, "MAX_NUM_FORMS": 1}
    values |= {f"{inline}-{name}": number for name, number in numbers.items()}
    return {**values, **changes}


def test_an_admin_makes_nobody_a_superuser(
    person: Callable[..., User], browser: Callable[..., Client], root: User
) -> None:
    """W-09: neither himself nor a friend, and he does not touch those who are."""
    chief, friend = person("chief", "Admin"), person("friend", "Viewer")
    strong = Group.objects.create(name="strong")
    strong.permissions.add(Permission.objects.get(codename="change_group"))
    client = browser(chief)
    for user in (chief, friend):
        address = reverse("admin:auth_user_change", args=[user.pk])
        permission = Permission.objects.get(codename="change_group").pk
        assert "user_permissions" not in client.get(address).context["adminform"].form.fields
        client.post(
            address,
            as_posted(client, address, is_superuser="on", user_permissions=[permission]),
        )
        answer = client.post(address, as_posted(client, address, groups=[strong.pk]))
        assert "not one of the available choices" in answer.content.decode()
        user.refresh_from_db()
        assert (user.is_superuser, user.has_perm("auth.change_group")) == (False, False)
    for name in ("auth_user_change", "auth_user_password_change", "auth_user_delete"):
        answer = client.post(
            reverse(f"admin:{name}", args=[root.pk]),
            {"username": "gone", "password1": "x" * 20, "password2": "x" * 20, "post": "yes"},
        )
        assert answer.status_code == 403
    data = {"action": "delete_selected", "_selected_action": [root.pk], "post": "yes"}
    client.post(reverse("admin:auth_user_changelist"), data)
    root.refresh_from_db()
    assert (root.username, root.check_password("x" * 20)) == ("root", False)


def test_an_admin_gives_the_roles_that_he_has(
    person: Callable[..., User], browser: Callable[..., Client]
) -> None:
    chief, friend = person("chief", "Admin"), person("friend", "Viewer")
    client = browser(chief)
    operator = Group.objects.get(name="Operator")
    address = reverse("admin:auth_user_change", args=[friend.pk])
    client.post(address, as_posted(client, address, groups=[operator.pk]))
    assert [group.name for group in friend.groups.all()] == ["Operator"]
    assert AuditEntry.objects.filter(who=chief, object_id=str(friend.pk)).exists()


def test_a_superuser_limits_somebody_to_a_site(
    place: Place, person: Callable[..., User], browser: Callable[..., Client], root: User
) -> None:
    friend = person("friend", "Viewer")
    client = browser(root)
    address = reverse("admin:auth_user_change", args=[friend.pk])
    changes = {
        "account-TOTAL_FORMS": 1,
        "account-0-user": friend.pk,
        "account-0-limited": "on",
        "account-0-sites": [place.site.pk],
    }
    answer = client.post(address, as_posted(client, address, **changes))
    assert answer.status_code == 302
    account = Account.objects.get(user=friend)
    assert (account.limited, list(account.sites.all())) == (True, [place.site])


BESIDE = (
    "/admin/",
    "/admin/ocpp/idtag/",
    "/admin/ocpp/idtag/?q=row",
    "/admin/ocpp/idtag/?o=5",
    "/admin/ocpp/idtag/{tag}/change/",
    "/admin/ocpp/idtag/{tag}/history/",
    "/admin/ocpp/idtag/export/",
    "/admin/ocpp/transaction/",
    "/admin/ocpp/transaction/?q={foreign_name}",
    "/admin/ocpp/transaction/{transaction}/change/",
    "/admin/ocpp/transaction/export/",
    "/admin/operation/alert/",
    "/admin/operation/alert/{alert}/change/",
    "/admin/autocomplete/?app_label=ocpp&model_name=idtag&field_name=parent&term=",
    "/admin/search/?s=row&extended=1",
)


@pytest.fixture
def crossing(place: Place) -> Place:
    """A card of this site in a household of another one; a charger that was moved."""
    tag, group = place.own[IdTag], place.foreign[IdTag]
    IdTag.objects.filter(pk=tag.pk).update(id_tag=f"1{OWN}", owner="", parent=group)
    Transaction.objects.filter(pk=place.own[Transaction].pk).update(id_tag=f"1{OWN}")
    Alert.objects.filter(pk=place.own[Alert].pk).update(
        site=place.foreign[Site], charge_point=place.own[ChargePoint]
    )
    return place


@pytest.mark.parametrize("address", BESIDE)
@pytest.mark.parametrize("role", ["Viewer", "Admin"])
def test_a_card_names_no_group_of_another_site(
    address: str,
    role: str,
    crossing: Place,
    person: Callable[..., User],
    browser: Callable[..., Client],
) -> None:
    """The list, the page, both exports and the search named the household, and whose it is."""
    client = browser(person("limited", role, sites=[crossing.site]))
    path = address.format(
        tag=crossing.own[IdTag].pk,
        transaction=crossing.own[Transaction].pk,
        alert=crossing.own[Alert].pk,
        foreign_name=FOREIGN,
    )
    answer = client.get(path, follow=True)
    text = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if FOREIGN in path:
        # What was looked for stands in the box; that something was found would tell, too.
        assert answer.context["cl"].result_count == 0
        return
    assert (answer.status_code in (200, 403), FOREIGN.encode() in text) == (True, False)


def test_who_sees_all_sites_finds_a_session_by_the_owner_of_its_group(
    crossing: Place, root: User, browser: Callable[..., Client]
) -> None:
    """What the test above forbids to some is there for the others."""
    client = browser(root)
    found = client.get(f"/admin/ocpp/transaction/?q={FOREIGN}").context["cl"].result_list
    assert crossing.own[Transaction] in found
    text = b"".join(client.get("/admin/ocpp/transaction/export/").streaming_content).decode()
    assert f"1{OWN},{FOREIGN}" in text.replace('"', "")
