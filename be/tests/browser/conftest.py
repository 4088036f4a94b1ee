"""Debian's Chromium, driven by playwright, and a charge point to look at."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, expect, sync_playwright

from levity.ocpp.models import ChargePoint
from tests.browser.visits import PASSWORD, Visit

# Milliseconds, on a machine that does something else meanwhile. (Playwright gives it 5 s.)
expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "Chromium is not installed: apt-get install chromium"
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright runs an event loop in this thread; Django takes it for asynchronous code.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(
            executable_path=found,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        yield browser
        browser.close()


@pytest.fixture
def root(transactional_db: None) -> User:
    return User.objects.create_superuser("root", password=PASSWORD)


@pytest.fixture
def charger(transactional_db: None) -> ChargePoint:
    found = ChargePoint.objects.create(identity="RDAM 123|:x", vendor="Vendor", model="Model")
    found.connectors.create(number=1, status="Available", error_code="NoError")
    return found


@pytest.fixture
def visit(chromium: Browser, live_server: Any, root: User) -> Iterator[Callable[[Any], Visit]]:
    """Opens a visit of this size; all are closed before the site is."""
    visits: list[Visit] = []

    def opened(size: Any) -> Visit:
        visits.append(Visit(chromium, live_server.url, size))
        return visits[-1]

    yield opened
    for each in visits:
        # A page that renews itself would go on asking after the database is gone.
        each.page.goto("about:blank")
        each.context.close()
