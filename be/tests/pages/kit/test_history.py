"""Every save and every decision is in the history of its row, with who and what, and no secret."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from levity.ocpp.decisions import id_tags, keys
from levity.ocpp.models import AuditEntry, ChargePoint, IdTag, QuarantinedMessage, Site


def entry() -> tuple[Any, ...]:
    """The only one."""
    found = AuditEntry.objects.get()
    return found.who_name, found.what, found.before, found.after


def saved(client: Client, row: Any, **changes: Any) -> Any:
    """Post the form of this row as the page shows it, with these changes."""
    name = f"levity:ocpp_{row._meta.model_name}_change"
    address = reverse(name, args=[row.pk])
    form = client.get(address).context["adminform"].form
    fields = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    data = {name: value for name, value in fields.items() if value not in (None, [])}
    answer = client.post(address, {**data, **changes, "expires_at_0": "", "expires_at_1": ""})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    return answer


def test_a_card_that_is_blocked_on_its_page_leaves_one_entry(browser_of_root: Client) -> None:
    tag = IdTag.objects.create(id_tag="CARD")
    saved(browser_of_root, tag, status="Blocked")
    assert entry() == ("root", "blocked", {"status": "Accepted"}, {"status": "Blocked"})
    assert IdTag.objects.get().status == "Blocked"


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [("Blocked", "Accepted", "unblocked"), ("Recorded", "Accepted", "approved")],
)
def test_another_status_on_its_page_is_the_decision_of_the_list(
    browser_of_root: Client, before: str, after: str, word: str
) -> None:
    tag = IdTag.objects.create(id_tag="CARD", status=before)
    saved(browser_of_root, tag, status=after, owner="Ann")
    tag.refresh_from_db()
    assert (tag.status, tag.owner) == (after, "Ann")
    assert list(AuditEntry.objects.order_by("pk").values_list("what", "before", "after")) == [
        (word, {"status": before}, {"status": after}),
        ("Changed Owner.", {"owner": ""}, {"owner": "Ann"}),
    ]


def test_a_rule_of_a_site_leaves_what_it_was(browser_of_root: Client) -> None:
    site = Site.objects.create(name="mine", authorization="known")
    saved(browser_of_root, site, authorization="anonymous")
    assert entry()[2:] == ({"authorization": "known"}, {"authorization": "anonymous"})


def test_a_form_takes_nothing_back_that_the_charger_said_meanwhile(
    browser_of_root: Client, charger: ChargePoint
) -> None:
    """All columns were written: a charger that connected while the page was open went offline."""
    address = reverse("levity:ocpp_chargepoint_change", args=[charger.pk])
    page = browser_of_root.get(address)
    assert page.status_code == 200
    ChargePoint.objects.filter(pk=charger.pk).update(firmware_version="2.0", remote_address="x")
    saved(browser_of_root, charger, name="garage", quirk_overrides="{}")
    charger.refresh_from_db()
    assert (charger.name, charger.firmware_version) == ("garage", "2.0")
    who, what, before, after = entry()
    assert (who, what, before, after) == (
        "root",
        "changed: name",
        {"name": ""},
        {"name": "garage"},
    )


def test_a_save_that_changes_nothing_leaves_nothing(
    browser_of_root: Client, charger: ChargePoint
) -> None:
    saved(browser_of_root, charger, quirk_overrides="{}")
    assert not AuditEntry.objects.exists()


def test_a_message_that_was_decided_is_saved_as_it_is(
    browser_of_root: Client, charger: ChargePoint
) -> None:
    """Its page has nothing to change; to press Save there is no error."""
    item = QuarantinedMessage.objects.create(
        charge_point=charger, received_at="2026-01-01T00:00Z", action="StopTransaction",
        unique_id="1", payload="{}", reason="odd", undo={"discarded": True},
        resolution="discarded: a test", resolved_at="2026-01-02T00:00Z",
    )  # fmt: skip
    address = reverse("levity:ocpp_quarantinedmessage_change", args=[item.pk])
    assert browser_of_root.post(address, {}).status_code == 302


def test_the_page_shows_people_and_the_command_line(
    browser_of_root: Client, root: User, charger: ChargePoint
) -> None:
    key = keys.new_key(charger, root)
    tag = IdTag.objects.create(id_tag="CARD", status="Blocked")
    id_tags.unblock(IdTag.objects.all(), None)
    page = browser_of_root.get(reverse("levity:ocpp_chargepoint_history", args=[charger.pk]))
    text = page.content.decode()
    assert "security: new key generated" in text
    assert "root" in text
    assert key not in text
    text = browser_of_root.get(reverse("levity:ocpp_idtag_history", args=[tag.pk])).content.decode()
    assert "command line" in text
    assert "status: Blocked → Accepted" in text


@pytest.mark.django_db
def test_what_somebody_did_stays_when_his_login_is_deleted(charger: ChargePoint) -> None:
    user = User.objects.create_superuser("gone")
    keys.new_key(charger, user)
    user.delete()
    assert entry()[0] == "gone"
