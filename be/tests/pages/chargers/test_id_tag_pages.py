"""Id tags in the admin: approve, block, in and out as CSV; and whose rule counts."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from levity.ocpp.decisions.expiry import end_of
from levity.ocpp.models import AuditEntry, ChargePoint, IdTag, Site, Transaction
from tests.ocpp.ledger_chargers import NOW

LIST = "admin:ocpp_idtag_changelist"
IMPORT = "admin:ocpp_idtag_import"


@pytest.fixture
def browser(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def file(text: str) -> Any:
    return {"file": SimpleUploadedFile("tags.csv", text.encode())}


@pytest.mark.parametrize(
    ("action", "after"),
    [
        ("approve", ["Accepted", "Blocked", "Accepted"]),
        ("block", ["Blocked", "Blocked", "Blocked"]),
        ("unblock", ["Accepted", "Accepted", "Recorded"]),
    ],
)
def test_actions_on_many(browser: Client, action: str, after: list[str]) -> None:
    tags = [
        IdTag.objects.create(id_tag=status, status=status)
        for status in ("Accepted", "Blocked", "Recorded")
    ]
    said = {"action": action, "_selected_action": [tag.pk for tag in tags]}
    assert browser.post(reverse(LIST), said).status_code == 302
    assert list(IdTag.objects.order_by("pk").values_list("status", flat=True)) == after
    changed = sum(tag.status != status for tag, status in zip(tags, after, strict=True))
    assert AuditEntry.objects.count() == changed


def test_tags_go_out_and_come_in(browser: Client) -> None:
    IdTag.objects.create(id_tag="=1+1", owner="Ann")
    page = browser.get(reverse(LIST)).content.decode()
    assert reverse("admin:ocpp_idtag_export") in page
    assert reverse(IMPORT) in page
    out = b"".join(browser.get(reverse("admin:ocpp_idtag_export"))).decode()
    assert out.splitlines()[1] == "'=1+1,Accepted,,,Ann,,,,"
    IdTag.objects.all().delete()
    assert browser.post(reverse(IMPORT), file(out)).status_code == 302
    assert IdTag.objects.get().id_tag == "=1+1"
    assert AuditEntry.objects.get().what == "added by a CSV import"


def test_wrong_lines_are_shown_as_text_and_nothing_is_imported(browser: Client) -> None:
    text = "id_tag,status\ngood,\n<b>,<script>\n"
    page = browser.post(reverse(IMPORT), file(text)).content.decode()
    assert "line 3: status &#x27;&lt;script&gt;&#x27; is none of" in page
    assert IdTag.objects.count() == 0
    page = browser.post(reverse(IMPORT), file("colour\n")).content.decode()
    assert "The first line must name the columns" in page
    assert "This field is required" in browser.post(reverse(IMPORT)).content.decode()


def test_who_may_only_look_imports_nothing(db: None) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_idtag"))
    client = Client()
    client.force_login(viewer)
    assert reverse(IMPORT) not in client.get(reverse(LIST)).content.decode()
    assert client.post(reverse(IMPORT), file("id_tag\nx\n")).status_code == 403
    assert client.get(reverse("admin:ocpp_idtag_export")).status_code == 200
    assert IdTag.objects.count() == 0


@pytest.mark.parametrize(
    ("own", "site", "said"),
    [
        ("", None, "anyone, with any tag or none; from the setting OCPP_AUTHORIZATION"),
        ("", "known", "known tags only; set on its site Home"),
        ("known", "record", "known tags only; set on this charge point"),
    ],
)
def test_a_charge_point_says_whose_rule_counts(
    browser: Client, own: str, site: str | None, said: str
) -> None:
    home = site and Site.objects.create(name="Home", authorization=site)
    charger = ChargePoint.objects.create(identity="CP1", authorization=own, site=home or None)
    page = browser.get(reverse("admin:ocpp_chargepoint_change", args=[charger.pk]))
    assert said in page.content.decode()


def test_the_list_says_when_a_group_keeps_its_tags_from_charging(browser: Client) -> None:
    group = IdTag.objects.create(id_tag="flat-7", status="Blocked")
    IdTag.objects.create(id_tag="Ann", parent=group)
    assert "its group is blocked" in browser.get(reverse(LIST)).content.decode()
    group.status, group.expires_at = "Accepted", NOW
    group.save()
    assert "its group has expired" in browser.get(reverse(LIST)).content.decode()


def test_the_page_of_a_group_shows_its_tags_and_what_they_charge(browser: Client) -> None:
    group = IdTag.objects.create(id_tag="flat-7", max_transactions=2)
    ann = IdTag.objects.create(id_tag="Ann", parent=group)
    started = Transaction.objects.create(
        charge_point=ChargePoint.objects.create(identity="CP1"),
        connector=1,
        id_tag="ANN",
        started_at=NOW,
        meter_start=0,
    )
    page = browser.get(reverse("admin:ocpp_idtag_change", args=[group.pk])).content.decode()
    assert reverse("admin:ocpp_idtag_change", args=[ann.pk]) in page
    assert f"#{started.pk}" in page
    assert "(at most 2)" in page
    page = browser.get(reverse("admin:ocpp_idtag_add")).content.decode()
    assert "no tag belongs to this group" in page


def test_a_group_is_one_level(browser: Client) -> None:
    """A household has cards; a card has none, and nothing is its own household."""
    group = IdTag.objects.create(id_tag="flat-7")
    ann = IdTag.objects.create(id_tag="Ann", parent=group)

    def refused(tag: IdTag, parent: IdTag) -> str:
        said = {"id_tag": tag.id_tag, "status": "Accepted", "parent": parent.pk}
        page = browser.post(reverse("admin:ocpp_idtag_change", args=[tag.pk]), said)
        assert page.status_code == 200
        return page.content.decode()

    assert "its own group" in refused(group, group)
    assert "a group with members" in refused(group, IdTag.objects.create(id_tag="house"))
    assert "belongs to a group itself" in refused(IdTag.objects.create(id_tag="Ben"), ann)


def test_a_tag_keeps_the_blanks_that_its_charger_sends(browser: Client) -> None:
    """A tag that is padded to 20 characters is approved and given an owner, and is still known."""
    tag = IdTag.objects.create(id_tag=" CARD1   ", status="Recorded")
    form = {"id_tag": " CARD1   ", "status": "Accepted", "owner": "Ann", "notes": ""}
    page = reverse("admin:ocpp_idtag_change", args=[tag.pk])
    assert browser.post(page, form).status_code == 302
    tag.refresh_from_db()
    assert (tag.id_tag, tag.owner) == (" CARD1   ", "Ann")
    # What a person types has none by intention.
    add = reverse("admin:ocpp_idtag_add")
    assert browser.post(add, form | {"id_tag": " CARD2 "}).status_code == 302
    assert IdTag.objects.filter(id_tag="CARD2").exists()
    assert browser.post(add, form | {"id_tag": "  "}).status_code == 200
    assert browser.post(page, form | {"id_tag": " card3 "}).status_code == 302
    tag.refresh_from_db()
    assert tag.id_tag == "card3"


def test_a_tag_may_be_of_a_kind(browser: Client) -> None:
    """For OCPP 2.0.1; 1.6 knows no kinds, so none is the usual one."""
    tag = IdTag.objects.create(id_tag="CARD1", status="Recorded")
    form = {"id_tag": "CARD1", "status": "Accepted"}
    assert browser.post(page_of(tag), form | {"type": "ISO14443"}).status_code == 302
    tag.refresh_from_db()
    assert tag.type == "ISO14443"
    assert 'value="ISO14443" selected' in browser.get(page_of(tag)).content.decode()
    assert browser.post(page_of(tag), form | {"type": "RFID"}).status_code == 200


def test_a_group_is_not_deleted_under_its_tags(browser: Client) -> None:
    """The cards of a blocked household would be good again."""
    group = IdTag.objects.create(id_tag="HOUSE", status="Blocked")
    card = IdTag.objects.create(id_tag="<CARD>", parent=group)
    page = reverse("admin:ocpp_idtag_delete", args=[group.pk])
    said = browser.get(page).content.decode()
    assert "&lt;CARD&gt;</a>, a tag of this group: delete it as well" in said
    browser.post(page, {"post": "yes"})
    chosen = {"action": "delete_selected", "post": "yes", "_selected_action": [group.pk]}
    browser.post(reverse(LIST), chosen)
    assert IdTag.objects.count() == 2
    # Both at once, or the card first.
    browser.post(reverse(LIST), chosen | {"_selected_action": [group.pk, card.pk]})
    assert not IdTag.objects.exists()


# A day that begins at one o'clock, the longest day, and those farthest from UTC.
ZONES = ("Europe/Berlin", "America/Santiago", "Pacific/Kiritimati", "Pacific/Niue", "UTC")


def page_of(tag: IdTag) -> str:
    return reverse("admin:ocpp_idtag_change", args=[tag.pk])


def saved(browser: Client, tag: IdTag, date: str, time: str) -> Any:
    form = {"id_tag": tag.id_tag, "status": "Accepted", "expires_at_0": date, "expires_at_1": time}
    return browser.post(page_of(tag), form)


DAYS = ("2030-11-30", "2026-09-05", "2026-03-28", "2026-10-24")


@pytest.mark.parametrize("zone", ZONES)
def test_the_last_day_is_shown_and_not_the_midnight_after_it(
    browser: Client, settings: Any, zone: str
) -> None:
    """A card for November was "valid until 1 Dec 00:00" on its page and in the list."""
    settings.TIME_ZONE = zone
    for day in DAYS:
        tag = IdTag.objects.create(id_tag=f"CARD {day}")
        assert saved(browser, tag, day, "").status_code == 302
        tag.refresh_from_db()
        assert tag.expires_at is not None
        assert tag.expires_at.timestamp() == end_of(date.fromisoformat(day)).timestamp()
        page = browser.get(page_of(tag))
        form = page.context["adminform"].form
        assert form["expires_at"].field.widget.decompress(form.initial["expires_at"]) == [
            date.fromisoformat(day),
            None,
        ]
        assert f'value="{day}"' in page.content.decode()
        # Saved again as it stands there: it stays.
        before = tag.expires_at
        saved(browser, tag, day, "")
        tag.refresh_from_db()
        assert tag.expires_at == before
    listed = browser.get(reverse(LIST)).content.decode()
    for day in DAYS:
        assert listed.count(f'<span class="lv-time">{day}</span>') == 1


def test_a_time_is_a_time(browser: Client, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    tag = IdTag.objects.create(id_tag="CARD")
    saved(browser, tag, "2030-12-31", "16:00")
    tag.refresh_from_db()
    assert tag.expires_at == datetime(2030, 12, 31, 15, tzinfo=UTC)
    assert "16:00:00 CET" in browser.get(reverse(LIST)).content.decode()
    saved(browser, tag, "", "")
    tag.refresh_from_db()
    assert tag.expires_at is None


@pytest.mark.parametrize(("date", "time"), [("9999-12-31", ""), ("", "08:00"), ("31", "")])
def test_what_is_no_day_is_refused_with_a_word(browser: Client, date: str, time: str) -> None:
    tag = IdTag.objects.create(id_tag="CARD")
    answer = saved(browser, tag, date, time)
    assert (answer.status_code, "Enter a valid date." in answer.content.decode()) == (200, True)


def test_who_may_only_look_reads_the_same_day(db: None, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    tag = IdTag.objects.create(id_tag="CARD", expires_at=datetime(2026, 11, 30, 23, tzinfo=UTC))
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_idtag"))
    client = Client()
    client.force_login(viewer)
    page = client.get(page_of(tag)).content.decode()
    assert "2026-11-30" in page
    assert "2026-12-01" not in page


def test_a_card_that_has_expired_says_so_in_the_list(browser: Client) -> None:
    IdTag.objects.create(id_tag="CARD", expires_at=NOW - timedelta(days=900))
    assert "expired" in browser.get(reverse(LIST)).content.decode()
