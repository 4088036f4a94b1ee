"""The page of changes that receivers have not taken yet."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from levity.ocpp.models import MissedChange

LIST = "levity:ocpp_missedchange_changelist"


@pytest.fixture
def missed(db: None, settings: Any) -> list[MissedChange]:
    """One that failed, one that waits behind it, one of a receiver that was taken away."""
    settings.OCPP_SESSIONS_CHANGED = ["billing.bill"]
    changes = [[None, {"id": 7}], [{"id": 8}, None], [{"id": 7}, {"id": 7}]]
    rows = (
        ("billing.bill", "Traceback\n  File secret.py\nValueError: no price"),
        ("billing.bill", ""),
        ("old.receiver", "Traceback\nImportError: gone"),
    )
    return [
        MissedChange.objects.create(receiver=receiver, changes=changes, traceback=traceback)
        for receiver, traceback in rows
    ]


def page_of(client: Client, row: MissedChange) -> str:
    address = reverse("levity:ocpp_missedchange_change", args=[row.pk])
    return client.get(address).content.decode()


def test_the_list_says_who_waits_for_what_and_why(
    browser_of_root: Client, missed: list[MissedChange]
) -> None:
    page = browser_of_root.get(reverse(LIST)).content.decode()
    for state in ("failed", "waits", "receiver not listed"):
        assert f">{state}<" in page
    assert "ValueError: no price" in page
    assert "#7" in page
    assert "#8" in page
    assert "levity replay_failed" in page


def test_each_says_what_to_do(browser_of_root: Client, missed: list[MissedChange]) -> None:
    failed, waits, gone = (page_of(browser_of_root, row) for row in missed)
    assert "Fix the receiver" in failed
    assert "An earlier change must be delivered first" in waits
    assert "does not list this receiver" in gone


def test_tracebacks_are_for_superusers(
    browser_of_root: Client, browser_of_viewer: Client, missed: list[MissedChange]
) -> None:
    assert "secret.py" in page_of(browser_of_root, missed[0])
    assert "secret.py" not in page_of(browser_of_viewer, missed[0])
    assert "no price" not in browser_of_viewer.get(reverse(LIST)).content.decode()


def test_nobody_changes_them(browser_of_root: Client, missed: list[MissedChange]) -> None:
    address = reverse("levity:ocpp_missedchange_change", args=[missed[0].pk])
    assert browser_of_root.post(address, {}).status_code == 403
