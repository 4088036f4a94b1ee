"""Whoever looks at messages does not see which of them have moved into blocks."""

import re
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import QueryDict
from django.test import Client, RequestFactory

from levity.accounts.models import Account
from levity.ocpp.models import Message, MessageBlock, Site, Transaction
from levity.ocpp.store.messages import finding
from levity.pages.site import site
from tests.ocpp.store.messages.month import END, START, month, move_all

LIST = "/admin/ocpp/message/"
LAST_DAY = 253_402_300_799_000_000
"""31 December 9999, in microseconds: no day follows."""
ASKED = (
    {},
    {"action": "StopTransaction"},
    {"action": "Reset"},
    {"error": "yes"},
    {"error": "no", "action": "Heartbeat"},
    {"sender": "cs"},
    {"transaction": "107"},
    {"transaction": "4000000000"},
    {"received_at_from": "2026-01-03", "received_at_to": "2026-01-05"},
    {"q": "04ab"},
    {"q": "MONTH-1"},
    {"q": "yard"},
    {"q": "107"},
    {"q": "nowhere"},
)


def lists(user: User, asked: dict[str, str], most: int = 40) -> list[list[dict[str, Any]]]:
    """The messages of each page, by way of its link to older ones; nothing is rendered."""
    admin = site._registry[Message]
    found = []
    query = dict(asked)
    for _ in range(most):
        request = RequestFactory().get(LIST, query)
        request.user = user
        changes = admin.get_changelist_instance(request)
        found.append([_shown(row) for row in changes.result_list])
        if not changes.paginator.older:
            break
        query = QueryDict(changes.paginator.older[1:]).dict()
    return found


def _shown(row: Message) -> dict[str, Any]:
    fields = {field.attname: getattr(row, field.attname) for field in Message._meta.fields}
    return {**fields, "of": str(row.charge_point)}


def test_every_list_and_page_is_as_it_was(root: User) -> None:
    charger, _ = month(days=8, a_day=8)
    Transaction.objects.create(
        pk=107,
        charge_point=charger,
        connector=1,
        started_at=START,
        start_received_at=START,
        meter_start=0,
    )
    own = {"charge_point__id__exact": str(charger.pk)}

    def everything() -> list[Any]:
        return [lists(root, {**asked, **of}) for asked in ASKED for of in ({}, own)]

    before = everything()
    assert len(before[0]) == 3
    assert before[12] == before[13] != [[]]  # of transaction 107
    move_all()
    assert MessageBlock.objects.exists()
    assert everything() == before


def test_the_page_of_a_message_is_found_at_its_old_address(browser_of_root: Client) -> None:
    month(days=3, a_day=7)
    addresses = [f"{LIST}{row.pk}/change/" for row in Message.objects.all()[::9]]

    def shown() -> list[str]:
        found = [browser_of_root.get(address).content.decode() for address in addresses]
        return [re.sub(r'(nonce|value|data-\w+)="[^"]*"', "", text) for text in found]

    before = shown()
    move_all(END)
    assert not Message.objects.exists()
    assert shown() == before
    assert browser_of_root.get(f"{LIST}999999/change/").status_code == 302


def test_who_is_limited_to_a_site_sees_its_messages_only(viewer: User) -> None:
    charger, other = month(days=3, a_day=8)
    account, _ = Account.objects.get_or_create(user=viewer)
    account.limited = True
    account.save()
    account.sites.set(Site.objects.all())
    browser = Client()
    browser.force_login(viewer)
    mine, theirs = (Message.objects.filter(charge_point=one)[:1].get() for one in (charger, other))
    everything = list(product(ASKED, ({}, {"charge_point__id__exact": str(other.pk)})))

    def shown() -> list[Any]:
        return [lists(viewer, {**asked, **own}) for asked, own in everything]

    before = shown()
    assert "Yard" in str(before)
    move_all(END)
    assert shown() == before
    assert "MONTH-2" not in str(before)
    assert browser.get(f"{LIST}{mine.pk}/change/").status_code == 200
    assert browser.get(f"{LIST}{theirs.pk}/change/").status_code == 302


def test_a_search_says_how_far_it_went_and_goes_on(
    browser_of_root: Client, root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    month(days=8, a_day=8)
    move_all()
    monkeypatch.setattr(finding, "SEARCHED", 20)
    answer = browser_of_root.get(LIST, {"q": "nowhere"})
    text = answer.content.decode()
    assert "looked through back to" in text
    assert "Look further back" in text
    assert len(lists(root, {"q": "nowhere"})) > 3


def test_a_page_begins_where_it_began_while_new_messages_come(browser_of_root: Client) -> None:
    charger, _ = month(days=4, a_day=8)
    older = browser_of_root.get(LIST).context["cl"].paginator.older
    before = browser_of_root.get(f"{LIST}{older}").context["cl"].result_list
    Message.objects.create(
        charge_point=charger, connection=Message.objects.all()[0].connection, seq=1,
        request="new", received_at=datetime.now(UTC) + timedelta(days=1),
    )  # fmt: skip
    assert browser_of_root.get(f"{LIST}{older}").context["cl"].result_list == before


def test_a_page_that_is_none_is_the_newest(root: User) -> None:
    month(days=2, a_day=8)
    newest = lists(root, {})[0]
    for page in ("5", "x-y", "-", "1-", "99999999999999999999-1", "1-²", f"{LAST_DAY}-1"):
        assert lists(root, {"p": page})[0] == newest
