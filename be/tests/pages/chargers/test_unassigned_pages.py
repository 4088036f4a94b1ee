"""The list of unassigned energy, the stretches behind it, and “Give it to…”."""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from levity.accounts.models import Account
from levity.ocpp.models import ChargePoint, IdTag, Site, Transaction, UnassignedEnergy
from levity.ocpp.store.loose import renew

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 31, 10, 0, tzinfo=UTC)
LIST = "/admin/ocpp/unassignedenergy/"
HEADER = (
    *("charge point", "name", "site", "connector", "month", "unassigned energy (kWh)"),
    *("stretches", "last (UTC)", "last (local)"),
)


def session(charger: ChargePoint, hours: float, first: int, last: int) -> Transaction:
    started = NOON + timedelta(hours=hours)
    return Transaction.objects.create(
        charge_point=charger,
        connector=1,
        state="stopped",
        id_tag="tag",
        started_at=started,
        start_received_at=started,
        stopped_at=started + timedelta(hours=1),
        stop_received_at=started + timedelta(hours=1),
        meter_start=first,
        meter_stop=last,
        energy=last - first,
        energy_source="registers",
    )


@pytest.fixture
def row(charger: ChargePoint) -> UnassignedEnergy:
    """3,210 Wh between two sessions, in April where the charger is."""
    charger.site = Site.objects.create(name="garage", time_zone="Europe/Berlin")
    charger.save()
    session(charger, 0, 1234, 5678)
    session(charger, 13, 8888, 9999)
    renew([charger.pk], "2026-03", "2026-04", NOON)
    return UnassignedEnergy.objects.get()


def text_of(answer: Any) -> str:
    assert answer.status_code == 200
    page = answer.content.decode()
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def links(answer: Any, part: str) -> list[str]:
    return re.findall(rf'href="([^"]*{re.escape(part)}[^"]*)"', answer.content.decode())


@pytest.mark.slow
def test_the_list_by_connector_and_month(row: UnassignedEnergy, browser_of_viewer: Client) -> None:
    page = text_of(browser_of_viewer.get(LIST))
    assert "2026-04 RDAM 123|%:x · 1 3.210 kWh 1 2026-04-01 01:00:00 CEST" in page
    assert "Nobody is billed for it until you give it to an id tag." in page
    site, charger = row.charge_point.site_id, row.charge_point_id
    for query, count in (
        ("month=2026-04", 1),
        ("month=2026-03", 0),
        ("month=nonsense", 1),
        (f"charge_point__id__exact={charger}", 1),
        (f"charge_point__id__exact={charger + 1}", 0),
        (f"charge_point__site__id__exact={site}", 1),
        (f"charge_point__site__id__exact={(site or 0) + 1}", 0),
    ):
        found = text_of(browser_of_viewer.get(f"{LIST}?{query}"))
        assert ("3.210 kWh" in found) == bool(count), query


def test_an_empty_list_says_what_that_means(browser_of_viewer: Client) -> None:
    page = text_of(browser_of_viewer.get(LIST))
    assert "None found so far: as of the last sum, all metered energy lies in sessions." in page


def test_the_stretches_with_the_sessions_around(
    row: UnassignedEnergy, browser_of_root: Client
) -> None:
    answer = browser_of_root.get(f"{LIST}{row.pk}/change/")
    first, second = Transaction.objects.order_by("pk")
    assert (
        "2026-03-31 13:00:00 CEST 2026-04-01 01:00:00 CEST 3.210 kWh 5.678 kWh to 8.888 kWh "
        "from the end of a session to the start of the next "
        f"#{first.pk} #{second.pk} Chain Messages Give it to…"
    ) in text_of(answer)
    [chain] = links(answer, "/admin/ocpp/connector/")
    assert chain.endswith("/change/?day=2026-04-03")
    [messages] = links(answer, "/admin/ocpp/message/?charge_point")
    assert "received_at_from=2026-03-31&amp;received_at_to=2026-04-01" in messages


def test_it_is_given_to_a_tag_and_taken_back(
    row: UnassignedEnergy, browser_of_root: Client
) -> None:
    tag = IdTag.objects.create(id_tag="ANNA")
    [give] = links(browser_of_root.get(f"{LIST}{row.pk}/change/"), "/give/")
    asked = text_of(browser_of_root.get(give))
    assert "3.210 kWh outside sessions" in asked
    assert "5.678 kWh to 8.888 kWh" in asked
    assert links(browser_of_root.get(give), "/idtag/add/")
    answer = browser_of_root.post(give, {"id_tag": tag.pk, "note": "his car"}, follow=True)
    assert "3.210 kWh given to ANNA." in text_of(answer)
    made = Transaction.objects.get(id_tag="ANNA")
    assert (made.energy, made.flags) == (3210, "made-by-hand unassigned-energy")
    assert not UnassignedEnergy.objects.exists()
    [undo] = links(answer, "/undo/")
    assert "given to ANNA" in text_of(browser_of_root.get(undo))
    assert "3.210 kWh unassigned again." in text_of(browser_of_root.post(undo, follow=True))
    assert not Transaction.objects.filter(pk=made.pk).exists()
    assert UnassignedEnergy.objects.get().wh == 3210
    assert browser_of_root.post(undo).status_code == 404


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "Choose an id tag, or tick that nobody pays for it."),
        ({"id_tag": "TAG", "nobody": "on"}, "Choose an id tag, or tick that nobody pays for it."),
        ({"nobody": "on", "note": " "}, "Enter what it was."),
        ({"id_tag": "999999"}, "Select a valid choice."),
        ({"id_tag": "x'y"}, "Select a valid choice."),
        ({"id_tag": "9" * 40}, "Select a valid choice."),
    ],
)
def test_what_is_not_said_is_asked_again(
    row: UnassignedEnergy, browser_of_root: Client, values: dict[str, Any], said: str
) -> None:
    tag = IdTag.objects.create(id_tag="ANNA")
    if values.get("id_tag") == "TAG":
        values = {**values, "id_tag": tag.pk}
    [give] = links(browser_of_root.get(f"{LIST}{row.pk}/change/"), "/give/")
    assert said in text_of(browser_of_root.post(give, values))
    assert Transaction.objects.count() == 2


def test_nobody(row: UnassignedEnergy, browser_of_root: Client) -> None:
    [give] = links(browser_of_root.get(f"{LIST}{row.pk}/change/"), "/give/")
    answer = browser_of_root.post(give, {"nobody": "on", "note": "a test"}, follow=True)
    assert "3.210 kWh given to nobody." in text_of(answer)


def test_what_is_no_longer_unassigned_is_not_found(
    row: UnassignedEnergy, browser_of_root: Client
) -> None:
    [give] = links(browser_of_root.get(f"{LIST}{row.pk}/change/"), "/give/")
    Transaction.objects.filter(meter_start=8888).update(meter_start=5678)
    assert browser_of_root.get(give).status_code == 404
    assert browser_of_root.get(f"{LIST}{row.pk}/give/x/").status_code == 404
    page = text_of(browser_of_root.get(f"{LIST}{row.pk}/change/"))
    assert "None any more: all of it lies in sessions now." in page


def test_what_was_given_stands_beside_what_is_left(
    row: UnassignedEnergy, charger: ChargePoint, browser_of_root: Client
) -> None:
    session(charger, 20, 12_345, 12_346)
    renew([charger.pk], "2026-04", "2026-04", NOON)
    give, _ = links(browser_of_root.get(f"{LIST}{row.pk}/change/"), "/give/")
    browser_of_root.post(give, {"nobody": "on", "note": "a test"})
    made = Transaction.objects.get(id_tag="nobody")
    answer = browser_of_root.get(f"{LIST}{row.pk}/change/")
    assert f"#{made.pk} nobody 2026-03-31 13:00:00 CEST" in text_of(answer)
    assert links(answer, "/undo/") == [f"{LIST}undo/{made.pk}/"]


def test_a_viewer_gives_nothing_away(row: UnassignedEnergy, browser_of_viewer: Client) -> None:
    answer = browser_of_viewer.get(f"{LIST}{row.pk}/change/")
    assert links(answer, "/give/") == []
    assert browser_of_viewer.get(f"{LIST}{row.pk}/give/x/").status_code == 403
    assert browser_of_viewer.get(f"{LIST}undo/1/").status_code == 403


def test_people_of_one_site_see_and_give_what_is_theirs(row: UnassignedEnergy) -> None:
    user = User.objects.create_user("janitor", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="ocpp"))
    account = Account.objects.create(user=user, limited=True)
    account.sites.add(Site.objects.create(name="other"))
    client = Client()
    client.force_login(user)
    assert "3.210" not in text_of(client.get(LIST))
    assert "3.210" not in b"".join(client.get(f"{LIST}export/").streaming_content).decode()  # type: ignore[attr-defined]
    assert client.get(f"{LIST}{row.pk}/give/x/").status_code == 404
    account.sites.add(row.charge_point.site)  # type: ignore[arg-type]
    assert "3.210" in text_of(client.get(LIST))
    [give] = links(client.get(f"{LIST}{row.pk}/change/"), "/give/")
    hidden = IdTag.objects.create(id_tag="OF-ALL-SITES")
    assert "Select a valid choice." in text_of(client.post(give, {"id_tag": hidden.pk}))
    hidden.charge_points.add(row.charge_point)
    assert "given to OF-ALL-SITES" in text_of(client.post(give, {"id_tag": hidden.pk}, follow=True))


def test_the_list_as_csv(row: UnassignedEnergy, browser_of_viewer: Client) -> None:
    answer: Any = browser_of_viewer.get(f"{LIST}export/?month=2026-04")
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert lines == [
        ",".join(HEADER),
        "RDAM 123|%:x,,garage,1,2026-04,3.210,1,2026-03-31 23:00:00,2026-04-01 01:00:00+02:00",
    ]
