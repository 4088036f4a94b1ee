"""The second step, commands to several, and what the Content Security Policy stops and lets run."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django_otp.oath import totp
from playwright.sync_api import Page

from levity.accounts.models import Phone
from levity.ocpp.models import ChargePoint, Command
from tests.browser.visits import DESKTOP, LIVE, PASSWORD, PHONE, Visit

pytestmark = pytest.mark.browser


def hear(seen: Visit) -> None:
    """Take what the console calls an error for a complaint: so a browser tells of the policy."""
    seen.page.on(
        "console",
        lambda said: seen.complaints.append(said.text) if said.type == "error" else None,
    )


def reach_by_keyboard(page: Page, selector: str) -> None:
    """Where the cursor stands already, as a rule; else with Tab.

    Chromium sets the focus of `autofocus` when it has drawn the page, and without a screen now and
    then not at all.
    """
    for _ in range(80):
        if page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no way to {selector} with Tab")


PAGES = (
    "/admin/",
    "/admin/ocpp/chargepoint/",
    "/admin/ocpp/chargepoint/{charger}/change/",
    "/admin/ocpp/command/add/",
    "/admin/ocpp/transaction/",
    "/admin/ocpp/idtag/add/",
    "/admin/auth/user/",
    "/admin/auth/user/{root}/change/",
    "/admin/auth/group/1/change/",
    "/admin/axes/accesslog/",
    "/admin/password_change/",
    "/admin/two-factor/",
)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_our_own_pages_work_under_the_policy_and_do_not_scroll_sideways(
    size: Any, visit: Callable[[Any], Visit], root: User, charger: ChargePoint
) -> None:
    """W-07."""
    seen = visit(size)
    hear(seen)
    for path in PAGES:
        page = seen.go(path.format(charger=charger.pk, root=root.pk))
        # Alpine has run: it takes this attribute away.
        page.wait_for_selector("html:not([x-cloak])")
        assert (path, page.evaluate("document.documentElement.scrollWidth")) == (
            path,
            size["width"],
        )
    assert seen.complaints == []


def test_a_script_that_was_smuggled_in_does_not_run(
    visit: Callable[[Any], Visit], root: User
) -> None:
    """W-07: the policy holds even where escaping failed."""
    seen = visit(DESKTOP)
    hear(seen)
    page = seen.go("/admin/")
    page.evaluate(
        """() => {
            const part = document.createElement("div");
            part.innerHTML = "<img src='data:,x' onerror='window.ran = 1'>";
            const script = document.createElement("script");
            script.textContent = "window.ran = 2";
            const other = document.createElement("script");
            other.src = "https://evil.example/x.js";
            document.body.append(part, script, other);
            return new Promise((done) => { other.onerror = done; });
        }"""
    )
    assert page.evaluate("window.ran") is None
    assert len([text for text in seen.complaints if "Content Security Policy" in text]) >= 2


def test_two_factor_login_is_set_up_and_used_by_keyboard_on_a_phone(
    visit: Callable[[Any], Visit], root: User
) -> None:
    seen = visit(PHONE)
    page = seen.go("/admin/two-factor/")
    assert page.evaluate("document.querySelector('.lv-qr').naturalWidth") > 100
    reach_by_keyboard(page, "#id_code[autofocus]")
    device = Phone.objects.get(user=root)
    page.keyboard.type(f"{totp(device.bin_key):06d}")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Your recovery codes")
    code = page.inner_text(".lv-codes li")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    seen.context.clear_cookies()
    page = seen.go("/admin/")
    page.fill("#id_username", "root")
    page.fill("#id_password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("text=One more step")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    reach_by_keyboard(page, "input[autofocus]")
    page.keyboard.type(code)
    page.keyboard.press("Enter")
    page.wait_for_selector(LIVE)
    assert seen.complaints == []


def test_several_chargers_are_reset_from_the_list(
    visit: Callable[[Any], Visit], root: User, charger: ChargePoint
) -> None:
    ChargePoint.objects.create(identity="SECOND")
    seen = visit(DESKTOP)
    page = seen.go("/admin/ocpp/chargepoint/")
    page.check("#action-toggle")
    page.select_option("select[name=action]", "send_soft_reset")
    page.click("button[name=index]")
    page.wait_for_selector("text=To 2 charge points")
    assert Command.objects.count() == 0
    seen.tab_to("Yes, soft reset of all 2")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Reset was queued for 2 charge points")
    assert Command.objects.count() == 2
    assert seen.complaints == []


def test_a_page_that_renews_itself_says_when_one_is_logged_out(
    visit: Callable[[Any], Visit], root: User, charger: ChargePoint
) -> None:
    """What stands there grows old, and must not look like the present."""
    seen = visit(DESKTOP)
    seen.page.clock.install()
    page = seen.go("/admin/ocpp/chargepoint/")
    seen.context.clear_cookies()
    page.clock.fast_forward(10_000)
    page.wait_for_selector("text=You are logged out")
    page.click("text=Log in again")
    page.wait_for_selector("#id_username")
