"""The page of a connector in a browser: drawn, clicked, by keyboard and on a phone."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from levity.ocpp.models import ChargePoint
from tests.browser.visits import DESKTOP, PHONE, Visit
from tests.chains import a_chain

pytestmark = pytest.mark.browser

PICTURES = os.environ.get("LEVITY_PICTURES")
WEEK = "?period=7&day=2026-11-30"


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_drawn_within_the_window(
    size: Any, scheme: Any, visit: Callable[[Any], Visit], charger: ChargePoint
) -> None:
    connector = a_chain(charger)
    seen = visit(size)
    seen.page.emulate_media(color_scheme=scheme)
    page = seen.go(f"/admin/ocpp/connector/{connector.pk}/change/{WEEK}")
    if PICTURES:
        name = f"connector-{size['width']}-{scheme}.png"
        page.screenshot(path=Path(PICTURES) / name, full_page=True)
    assert page.locator("svg.lv-chain:visible").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    assert seen.complaints == []
