"""Somebody who looks at the pages: logged in, with a window of some size."""

from typing import Any

from playwright.sync_api import Browser, Page

__all__ = ["DESKTOP", "LIVE", "PASSWORD", "PHONE", "Visit"]

PASSWORD = "p4ssw0rd-of-root"
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
LIVE = "#lv-dashboard"


class Visit:
    """A page that is logged in, and all that its console and network complained about."""

    def __init__(self, browser: Browser, address: str, size: Any) -> None:
        self.complaints: list[str] = []
        self.address = address
        self.context = browser.new_context(viewport=size)
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("response", self._note)
        self.page.goto(f"{address}/admin/")
        self.page.focus("#id_username")
        self.page.keyboard.type("root")
        self.page.keyboard.press("Tab")
        self.page.keyboard.type(PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector(LIVE)

    def _note(self, response: Any) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} {response.url}")

    def go(self, path: str) -> Page:
        self.page.goto(f"{self.address}{path}")
        return self.page

    def tab_to(self, text: str) -> None:
        """Press Tab until the link or button of this name has the focus."""
        for _ in range(80):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("document.activeElement.textContent.trim()") == text:
                return
        raise AssertionError(f"Tab never came to {text}")
