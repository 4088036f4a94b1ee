"""The overview's plots come after the page."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from levity.ocpp.models import ChargePoint
from levity.ocpp.store.hours import count_all
from tests.browser.visits import DESKTOP, PHONE, Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PLOTS = "**/admin/?part=plots"
TOP = "document.getElementById('lv-recent').getBoundingClientRect().top + scrollY"


def charged(charger: ChargePoint) -> None:
    charger.transactions.create(
        connector=1,
        started_at=timezone.now() - timedelta(hours=1),
        stopped_at=timezone.now(),
        state="stopped",
        meter_start=0,
        meter_stop=7_000,
        energy=7_000,
        confidence="high",
    )
    list(count_all(timezone.now()))


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_nothing_moves_when_they_come(
    size: Any, visit: Callable[[Any], Visit], charger: ChargePoint
) -> None:
    charged(charger)
    seen = visit(size)
    held: list[Any] = []

    def hold(route: Any) -> None:
        # (Playwright can't take a method of a list.)
        held.append(route)

    seen.page.route(PLOTS, hold)
    page = seen.go("/admin/")
    expect(page.get_by_text("Loading…")).to_have_count(4)
    before = page.evaluate(TOP)
    page.wait_for_function("() => document.querySelector('#lv-plots.htmx-request') !== null")
    held[0].continue_()
    expect(page.locator("#lv-plots canvas[style]")).to_have_count(2)
    expect(page.get_by_text("Loading…")).to_have_count(0)
    # (Faults are told below the other plots, or beside them: what there is of them has its room.)
    assert abs(page.evaluate(TOP) - before) <= 8
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert seen.complaints == []


def test_a_failure_is_told_where_they_would_stand(
    visit: Callable[[Any], Visit], charger: ChargePoint
) -> None:
    charged(charger)
    seen = visit(DESKTOP)
    seen.page.route(PLOTS, lambda route: route.fulfill(status=503))
    page = seen.go("/admin/")
    said = "Could not be loaded: the server answered 503. Levity tries again within two minutes."
    expect(page.get_by_text(said)).to_have_count(4)
