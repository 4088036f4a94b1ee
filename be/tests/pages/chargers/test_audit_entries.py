"""The page of everything that was decided."""

import csv
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from levity.ocpp.audit import note
from levity.ocpp.models import AuditEntry, ChargePoint, IdTag

LIST = "levity:ocpp_auditentry_changelist"


@pytest.fixture
def entries(charger: ChargePoint, root: User) -> None:
    """Root did something to a charger and a card, the command line to a card."""
    tags = [IdTag.objects.create(id_tag=name) for name in ("=1+1", "CARD")]
    note(root, [charger], "security: new key generated")
    note(root, [tags[0]], "blocked", {"status": "Accepted"}, {"status": "Blocked"})
    note(None, [tags[1]], "approved")


def listed(client: Client, **asked: Any) -> list[str]:
    """What was done, as the list shows it, the newest first."""
    page = client.get(reverse(LIST), asked)
    assert page.status_code == 200
    return [entry.what for entry in page.context["cl"].result_list]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["approved", "blocked", "security: new key generated"]),
        ({"user": "=root"}, ["blocked", "security: new key generated"]),
        ({"user": "-"}, ["approved"]),
        ({"kind": "ocpp.idtag"}, ["approved", "blocked"]),
        ({"user": "=root", "kind": "ocpp.idtag"}, ["blocked"]),
        ({"at_from": "2001-01-01", "at_to": "2001-01-31"}, []),
        ({"at_from": "2001-01-01"}, ["approved", "blocked", "security: new key generated"]),
        ({"q": "new key"}, ["security: new key generated"]),
        ({"q": "CARD"}, ["approved"]),
        ({"user": "nobody", "kind": "%00"}, ["approved", "blocked", "security: new key generated"]),
    ],
)
@pytest.mark.usefixtures("entries")
def test_entries_are_found_by_user_kind_day_and_text(
    asked: dict[str, str], found: list[str], browser_of_root: Client
) -> None:
    assert listed(browser_of_root, **asked) == found


@pytest.mark.usefixtures("entries")
def test_the_file_holds_what_the_list_shows_and_no_formula(browser_of_root: Client) -> None:
    answer: Any = browser_of_root.get(
        reverse("levity:ocpp_auditentry_export"), {"kind": "ocpp.idtag", "user": "=root"}
    )
    head, row = csv.reader(b"".join(answer).decode().splitlines())
    named = dict(zip(head, row, strict=True))
    assert (named["user"], named["what"], named["object"]) == ("root", "blocked", "'=1+1")
    assert (named["before"], named["after"]) == ("status: Accepted", "status: Blocked")


@pytest.mark.usefixtures("entries")
def test_an_entry_links_to_the_history_of_its_object(
    browser_of_root: Client, charger: ChargePoint
) -> None:
    page = browser_of_root.get(reverse(LIST)).content.decode()
    assert reverse("levity:ocpp_chargepoint_history", args=[charger.pk]) in page
    entry = AuditEntry.objects.get(what="blocked")
    page = browser_of_root.get(reverse("levity:ocpp_auditentry_change", args=[entry.pk]))
    assert "status: Accepted → Blocked" in page.content.decode()


@pytest.mark.parametrize(("role", "may"), [("Viewer", False), ("Operator", False), ("Admin", True)])
def test_admins_see_it(role: str, *, may: bool, db: None) -> None:
    """It tells what all users did, and the others see the history of each object."""
    user = User.objects.create_user("somebody", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    assert client.get(reverse(LIST)).status_code == (200 if may else 403)
    menu = client.get(reverse("levity:index")).content.decode()
    assert (reverse(LIST) in menu) is may
