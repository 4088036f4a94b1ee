"""Every page of the admin shows odd, hostile and missing data: 200, escaped, with few queries."""

import re

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from levity.addresses import local_addresses
from levity.ocpp.models import ChargePoint, ChargePointCertificate
from levity.pages.calls.kinds import KINDS
from levity.pages.overview import kept
from tests.pages.chargers.odd_rows import MARK, fill

MODELS = sorted(
    (model for model in admin.site._registry if model._meta.app_label == "ocpp"),
    key=lambda model: model._meta.model_name or "",
)
WITH_ADD_PAGE = ("chargepoint", "command", "idtag", "site")
SEND = (
    "start",
    "stop",
    "unlock",
    "trigger",
    "configuration",
    "reset-soft",
    "reset-hard",
    "command",
)


def list_page(model: type[Model]) -> str:
    return reverse(f"admin:ocpp_{model._meta.model_name}_changelist")


def page_of(row: Model) -> str:
    return reverse(f"admin:ocpp_{row._meta.model_name}_change", args=[quote(row.pk)])


def seen(client: Client, address: str) -> str:
    answer = client.get(address)
    assert (answer.status_code, address) == (200, address)
    text: str = answer.content.decode()
    return text


def live_markup(text: str) -> list[str]:
    """Tags and attributes that a hostile text became, if it was not escaped."""
    return re.findall(rf"<script>{MARK}|<img[^>]*{MARK}|<[^>&]*onerror={MARK}[^&]*>", text)


def all_pages() -> list[str]:
    """The list of every model, and the page of every row."""
    rows = [row for model in MODELS for row in model._default_manager.all()]
    return [*map(list_page, MODELS), *map(page_of, rows)]


def test_empty_lists_are_shown(browser_of_root: Client) -> None:
    for model in MODELS:
        seen(browser_of_root, list_page(model))


def test_odd_and_hostile_rows_are_shown_as_text(browser_of_root: Client) -> None:
    fill(2)
    assert all(model._default_manager.exists() for model in MODELS)
    texts = {page: seen(browser_of_root, page) for page in all_pages()}
    assert {page: live_markup(text) for page, text in texts.items() if live_markup(text)} == {}
    assert [page for page, text in texts.items() if "s3cr3t-key" in text] == []


def test_the_check_for_markup_sees_markup() -> None:
    assert live_markup(f"<td><script>{MARK}</script></td>") == [f"<script>{MARK}"]
    assert live_markup(f'<a title=""><img src=x onerror={MARK}>') != []


def test_rows_with_nothing_in_them_are_shown(browser_of_root: Client) -> None:
    fill(1, text="")
    for page in all_pages():
        seen(browser_of_root, page)


def test_a_viewer_sees_all_and_changes_nothing(browser_of_viewer: Client) -> None:
    fill(1)
    for page in all_pages():
        assert 'name="_save"' not in seen(browser_of_viewer, page)
    for model in MODELS:
        row = model._default_manager.first()
        assert row is not None
        answers = (
            browser_of_viewer.post(page_of(row), {}),
            browser_of_viewer.get(f"{list_page(model)}add/"),
            browser_of_viewer.post(f"{page_of(row).removesuffix('change/')}delete/", {"post": "y"}),
        )
        assert [answer.status_code for answer in answers] == [403, 403, 403]


def test_lists_ask_as_often_for_fifty_rows_as_for_ten(browser_of_root: Client) -> None:
    def queries() -> dict[str, int]:
        counts = {}
        for model in MODELS:
            with CaptureQueriesContext(connection) as asked:
                seen(browser_of_root, list_page(model))
            counts[str(model._meta.model_name)] = len(asked)
        return counts

    fill(10, text="ten")
    few = queries()
    fill(40, text="forty", first=10)
    assert queries() == few
    assert max(few.values()) <= 8


@pytest.mark.parametrize("name", WITH_ADD_PAGE)
def test_pages_to_add_are_shown(name: str, browser_of_root: Client) -> None:
    fill(2)
    assert live_markup(seen(browser_of_root, reverse(f"admin:ocpp_{name}_add"))) == []


@pytest.mark.parametrize("kind", KINDS)
def test_forms_for_commands_show_hostile_chargers_as_text(
    kind: str, browser_of_root: Client
) -> None:
    charger = fill(2)
    page = reverse("admin:ocpp_chargepoint_send", args=[charger.pk, kind])
    assert live_markup(seen(browser_of_root, page)) == []


FILTERS = {
    "chargepoint": (
        "online=yes",
        "online=no&status=Charging&fault=yes",
        "online=%00&status=%00&fault=%00",
        "fault=no",
        "q=anything",
        "q=%00",
    ),
    "command": ("action=Reset", "action=%00", "state__exact=queued", "state__exact=%00x"),
    "connectionevent": ("at_from=2026-03-29&at_to=0001-01-01", "kind__exact=refused"),
    "failedmessage": ("open=yes", "open=no", "open=%00"),
    "message": (
        "action=Heartbeat&error=yes&sender=cs",
        "action=%00&error=no&sender=%00",
        "charge_point__id__exact=1",
        "charge_point__id__exact=99999999999999999999999",
        "charge_point__id__exact=%00",
        "received_at_from=2026-03-29&received_at_to=2026-03-29",
        "received_at_from=nonsense&received_at_to=9999-12-31",
        "p=2",
        "p=99999",
        "p=x",
        "all=",
        "nonsense=1",
        "q=anything",
        "q=99999999999999999999",
        "q=%00",
        "q=%2500%5C'%22",
    ),
    "metervalue": ("charge_point__id__exact=1", "transaction__id__exact=1"),
    "transaction": ("started_at_from=2026-03-29", "q=%23123", "q=99999999999999999999", "q=%00"),
}


@pytest.mark.parametrize("name", FILTERS)
def test_filters_and_searches_never_fail(name: str, browser_of_root: Client) -> None:
    fill(2)
    page = reverse(f"admin:ocpp_{name}_changelist")
    answers = {
        query: browser_of_root.get(f"{page}?{query}", follow=True).status_code
        for query in FILTERS[name]
    }
    # What no filter asks for is not asked: any column could be read letter by letter (C4).
    assert answers == {query: 400 if query == "nonsense=1" else 200 for query in FILTERS[name]}


def test_the_overview_of_an_empty_site_says_how_to_connect(browser_of_root: Client) -> None:
    text = seen(browser_of_root, reverse("admin:index"))
    assert ">ws://testserver:9000/ws/CHARGE_POINT_ID<" in text
    assert ">testserver:9000/ws/CHARGE_POINT_ID<" in text
    assert "QR code of ws://testserver:9000/ws/" in text
    assert "<code>garage-1</code>" in text


def test_a_charger_is_never_told_to_call_itself(browser_of_root: Client) -> None:
    """B4: the first thing that a new user saw was ws://localhost:9000/ws/."""
    for page in ("admin:index", "admin:ocpp_refusedhandshake_changelist"):
        answer = browser_of_root.get(reverse(page), HTTP_HOST="localhost:8000")
        assert b"CHARGE_POINT_ID" in answer.content
        if local_addresses():
            assert b"ws://localhost" not in answer.content
            assert f"ws://{local_addresses()[0]}:9000/ws/".encode() in answer.content


def test_the_overview_shows_hostile_rows_as_text_and_asks_a_fixed_number_of_times(
    browser_of_root: Client,
) -> None:
    fill(2)
    with CaptureQueriesContext(connection) as few:
        text = seen(browser_of_root, reverse("admin:index"))
    assert live_markup(text) == []
    assert "Connect your first charge point" not in text
    fill(20, text="more", first=2)
    kept.forget()
    with CaptureQueriesContext(connection) as many:
        seen(browser_of_root, reverse("admin:index"))
    assert len(many) == len(few) <= 14


def test_the_overview_tells_of_certificate_requests_that_wait(browser_of_root: Client) -> None:
    """Nobody would notice them, and after a week they lapse."""
    title = "awaits a decision"
    assert title not in seen(browser_of_root, reverse("admin:index"))
    for number in range(2):
        ChargePointCertificate.objects.create(identity=f"CP{number}", csr="-", key_kind="EC 256")
        text = seen(browser_of_root, reverse("admin:index"))
        assert (title in text) == (number == 0)
    assert "certificate requests await a decision" in text
    assert "state__exact=waiting" in text


def test_the_overview_shows_only_what_one_may_see(client: Client, django_user_model: type) -> None:
    fill(2)
    client.force_login(django_user_model.objects.create_user("nobody", is_staff=True))
    text = seen(client, reverse("admin:index"))
    assert "Charging now" not in text
    assert "in quarantine" not in text


def test_a_charge_point_page_shows_a_fixed_number_of_queries(browser_of_root: Client) -> None:
    charger = fill(1)
    page = page_of(charger)
    # Some things are asked for once a process.
    seen(browser_of_root, page)
    with CaptureQueriesContext(connection) as few:
        seen(browser_of_root, page)
    for number in range(2, 30):
        charger.connectors.create(number=number)
    with CaptureQueriesContext(connection) as many:
        seen(browser_of_root, page)
    assert len(many) == len(few) <= 14


def test_search_finds_a_charge_point_by_identity_name_and_serial(browser_of_root: Client) -> None:
    for identity, name, serial in (("A1", "", ""), ("B2", "Garage A1", ""), ("C3", "", "xa1")):
        ChargePoint.objects.create(identity=identity, name=name, serial_number=serial)
    ChargePoint.objects.create(identity="D4")
    answer = browser_of_root.get(list_page(ChargePoint), {"q": "A1"})
    found = [item.identity for item in answer.context["cl"].result_list]
    assert found == ["A1", "B2", "C3"]
