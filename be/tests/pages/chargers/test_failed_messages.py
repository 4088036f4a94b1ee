"""The button "Replay": it asks first, says what came of it, and writes down who pressed it."""

import re
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from levity.ocpp.models import AuditEntry, FailedMessage, Transaction
from levity.ocpp.request import GetResponse, Request, Response
from levity.pages.kit import going_on
from tests.ocpp.charger import CentralSystem, Charger

LIST = "/admin/ocpp/failedmessage/"
REPLAY = f"{LIST}replay/"


class Broken:
    """A middleware with a bug, until it is mended."""

    is_mended = False

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Request) -> Response:
        if not self.is_mended:
            raise ZeroDivisionError("secret <b>inside</b>")
        return self.get_response(request)


@pytest.fixture
def failed(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> list[FailedMessage]:
    """The starts of two cars at which our own code failed."""
    monkeypatch.setattr(Broken, "is_mended", False)
    settings.OCPP_MIDDLEWARE = [f"{__name__}.Broken"]
    site = CentralSystem()
    for name in ("CP1", "CP2"):
        assert site.error(Charger(name).starts()) == "InternalError"
    assert Transaction.objects.count() == 0
    return list(FailedMessage.objects.order_by("pk"))


@pytest.fixture
def mended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Broken, "is_mended", True)


def ids(rows: list[FailedMessage]) -> str:
    return ",".join(str(row.pk) for row in rows)


def said(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def test_the_page_of_one_offers_it_and_the_question_names_it(
    browser_of_root: Client, failed: list[FailedMessage]
) -> None:
    page = browser_of_root.get(reverse("admin:ocpp_failedmessage_change", args=[failed[0].pk]))
    assert f"{REPLAY}?ids={failed[0].pk}" in page.content.decode()
    question = browser_of_root.get(f"{REPLAY}?ids={failed[0].pk}").content.decode()
    assert "1 message" in question
    assert "CP1" in question
    assert "CP2" not in question
    assert FailedMessage.objects.filter(attempts=1).count() == 2


def test_selected_ones_go_on_the_books_as_of_the_time_they_came(
    browser_of_root: Client, failed: list[FailedMessage], mended: None
) -> None:
    """From the list over the question to the books; a second time changes nothing."""
    selected = {"action": "replay_selected", "_selected_action": [row.pk for row in failed]}
    asked = browser_of_root.post(LIST, selected)
    assert f'action="{REPLAY}"' in asked.content.decode()
    assert f'name="ids" value="{ids(failed)}"' in asked.content.decode()
    assert Transaction.objects.count() == 0
    done = browser_of_root.post(REPLAY, {"ids": ids(failed)}, follow=True)
    assert said(done) == ["Processed: 2."]
    starts = Transaction.objects.order_by("pk").values_list("charge_point__identity", "state")
    assert list(starts) == [("CP1", "active"), ("CP2", "active")]
    received = set(Transaction.objects.values_list("start_received_at", flat=True))
    assert received == {row.received_at for row in failed}
    assert not FailedMessage.objects.filter(replayed_at=None).exists()
    notes = [entry.what for entry in AuditEntry.objects.all()]
    assert notes == ["replayed, recorded"] * 2
    again = browser_of_root.post(REPLAY, {"ids": ids(failed)}, follow=True)
    assert said(again) == ["None of these is open: they have already been processed."]
    assert Transaction.objects.count() == 2
    page = browser_of_root.get(reverse("admin:ocpp_failedmessage_change", args=[failed[0].pk]))
    assert f"{REPLAY}?ids" not in page.content.decode()


def test_what_fails_again_stays_and_says_why(
    browser_of_root: Client, failed: list[FailedMessage]
) -> None:
    done = browser_of_root.post(REPLAY, {"ids": ids(failed[:1])}, follow=True)
    why = "ZeroDivisionError: secret <b>inside</b>"
    assert said(done) == [f"#{failed[0].pk} (CP1) failed again: {why}"]
    assert "<b>inside" not in done.content.decode()
    row = FailedMessage.objects.get(pk=failed[0].pk)
    assert (row.attempts, row.replayed_at) == (2, None)
    assert FailedMessage.objects.count() == 2


def test_only_who_may_change_them_takes_them_again(
    browser_of_viewer: Client, viewer: User, failed: list[FailedMessage], mended: None
) -> None:
    """The inside of the system is for superusers, here too."""
    page = browser_of_viewer.get(reverse("admin:ocpp_failedmessage_change", args=[failed[0].pk]))
    assert f"{REPLAY}?ids" not in page.content.decode()
    assert "replay_selected" not in browser_of_viewer.get(LIST).content.decode()
    assert browser_of_viewer.get(f"{REPLAY}?ids={ids(failed)}").status_code == 403
    assert browser_of_viewer.post(REPLAY, {"ids": ids(failed)}).status_code == 403
    assert Transaction.objects.count() == 0
    viewer.user_permissions.add(Permission.objects.get(codename="change_failedmessage"))
    Broken.is_mended = False
    done = browser_of_viewer.post(REPLAY, {"ids": ids(failed[:1])}, follow=True)
    assert said(done) == [f"#{failed[0].pk} (CP1) failed again"]


@pytest.mark.parametrize("wanted", ["", "x", "0,,;3", "9" * 30, "99999", "-1"])
def test_nonsense_and_strangers_are_nothing_to_take(
    browser_of_root: Client, failed: list[FailedMessage], wanted: str
) -> None:
    assert browser_of_root.get(f"{REPLAY}?ids={wanted}").status_code == 302
    assert browser_of_root.post(REPLAY, {"ids": wanted}).status_code == 302
    assert FailedMessage.objects.filter(attempts=1).count() == 2


def test_it_needs_the_token_of_its_page(
    root: User, failed: list[FailedMessage], mended: None
) -> None:
    """W-07."""
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(root)
    assert browser.post(REPLAY, {"ids": ids(failed)}).status_code == 403
    assert Transaction.objects.count() == 0


@pytest.mark.slow
def test_all_that_were_selected_are_taken_again_in_portions(
    browser_of_root: Client,
    failed: list[FailedMessage],
    mended: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of 250 the first 100 were, and the page sent people to the shell for the others."""
    rows = [
        FailedMessage(
            identity="CP1",
            charge_point=failed[0].charge_point,
            connection=uuid.uuid4(),
            seq=1,
            text='[2,"x","Heartbeat",{}]',
            action="Heartbeat",
            received_at=failed[0].received_at,
            failed_at=failed[0].failed_at,
        )
        for _ in range(248)
    ]
    FailedMessage.objects.bulk_create(rows)
    monkeypatch.setattr(going_on, "BUDGET", 0.0)
    selected = {"action": "replay_selected", "_selected_action": failed[0].pk, "select_across": "1"}
    page = browser_of_root.post(LIST, selected).content.decode()
    assert "250 messages will be processed again" in page
    assert "and 150 more" in page
    steps = []
    while True:
        sent = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.split("<form")[-1])
        answer = browser_of_root.post(REPLAY, dict(sent), follow=True)
        if answer.redirect_chain:
            break
        page = answer.content.decode()
        steps.append(page.split('role="status">')[-1].partition(".")[0])
    assert steps == ["100 of 250 done", "200 of 250 done"]
    assert said(answer) == ["Processed: 250."]
    assert not FailedMessage.objects.filter(replayed_at=None).exists()
