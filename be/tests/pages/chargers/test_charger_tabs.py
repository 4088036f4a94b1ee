"""The tabs of a charger: links that need no script, each with the page that the menu leads to."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from levity.ocpp.models import ChargePoint, FileJob, Site
from tests.pages.whole.conftest import browser, person

__all__ = ["browser", "person"]

LIST = "/admin/ocpp/chargepoint/"
FORM = 'id="chargepoint_form"'


def tabs(client: Client, path: str) -> dict[str, str]:
    """Where each tab leads; the one that is shown is marked with a star."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    text = answer.content.decode()
    box = text.partition('<nav class="lv-tabs"')[2].partition("</nav>")[0]
    found = {}
    for link in box.split("<a ")[1:]:
        title = link.partition(">")[2].partition("<")[0]
        here = "*" if 'aria-current="page"' in link else ""
        found[title + here] = link.partition('href="')[2].partition('"')[0]
    return found


def test_each_tab_is_a_page_that_shows_the_tabs(
    browser_of_root: Client, charger: ChargePoint
) -> None:
    page = f"{LIST}{charger.pk}/change/"
    found = tabs(browser_of_root, page)
    names = ["Overview*", "Sessions", "Messages", "Configuration", "Files", "Details"]
    assert list(found) == names
    for title, address in found.items():
        here = [name for name in tabs(browser_of_root, address) if name.endswith("*")]
        assert here == [f"{title.rstrip('*')}*"], address


def test_the_form_is_a_tab_and_looks_come_first(
    browser_of_root: Client, charger: ChargePoint
) -> None:
    page = f"{LIST}{charger.pk}/change/"
    overview = browser_of_root.get(page).content.decode()
    assert ("<h2>Now</h2>" in overview, FORM in overview) == (True, False)
    assert "_save" not in overview
    details = browser_of_root.get(f"{page}?tab=details").content.decode()
    assert ("<h2>Now</h2>" in details, FORM in details) == (False, True)
    assert 'name="_save"' in details
    # What is wrong with a form is shown with the form, wherever it was sent to.
    wrong = browser_of_root.post(page, {"time_zone": "Mars/Olympus"}).content.decode()
    assert FORM in wrong
    add = browser_of_root.get(f"{LIST}add/").content.decode()
    assert ("lv-tabs" in add, FORM in add) == (False, True)


def test_who_continues_to_edit_is_at_the_form(
    browser_of_root: Client, charger: ChargePoint
) -> None:
    form = {"identity": charger.identity, "name": "Court", "registration": "Accepted"}
    page = f"{LIST}{charger.pk}/change/?tab=details"
    sent = {**form, "quirk_overrides": "{}", "_continue": "1"}
    answer = browser_of_root.post(page, sent)
    assert answer.status_code == 302, answer.context["errors"]
    assert answer["Location"].endswith(f"{charger.pk}/change/?tab=details")


def test_a_list_of_one_charger_has_its_tabs_and_any_other_has_none(
    browser_of_root: Client, charger: ChargePoint
) -> None:
    jobs = "/admin/ocpp/filejob/"
    FileJob.objects.create(
        charge_point=charger, kind="diagnostics", state="queued", created_at=timezone.now()
    )
    mine = browser_of_root.get(f"{jobs}?charge_point__id__exact={charger.pk}").content.decode()
    assert f"{jobs}fetch/{charger.pk}/" in mine
    for query in ("", "?charge_point__id__exact=999999", "?charge_point__id__exact=x"):
        assert "lv-tabs" not in browser_of_root.get(f"{jobs}{query}").content.decode(), query


@pytest.mark.django_db
def test_nobody_learns_the_name_of_a_charger_of_another_site(
    browser: Callable[..., Client], person: Callable[..., User], charger: ChargePoint
) -> None:
    limited = browser(person("ann", "Viewer", [Site.objects.create(name="Hers")]))
    page = limited.get(f"/admin/ocpp/transaction/?charge_point__id__exact={charger.pk}")
    assert page.status_code == 200
    assert "RDAM" not in page.content.decode()
