"""A page is called what the menu calls it."""

import html
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.html import strip_tags

pytestmark = pytest.mark.django_db
# Whose rows have a name of their own.
OTHERWISE = {
    "Onboarding doctor": "refused connections",
    "Statements": "closed periods",
    "Who bills": "issuers",
}


def _between(text: str, begin: str, end: str) -> str:
    return text.partition(begin)[2].partition(end)[0]


def test_each_page_of_the_menu_is_titled_with_the_word_that_led_to_it(
    browser: Callable[..., Client], root: User
) -> None:
    client = browser(root)
    groups = client.get("/admin/").context["sidebar_navigation"]
    entries = [item for group in groups for item in group["items"]]
    assert len(entries) > 40
    wrong: dict[str, tuple[str, ...]] = {}
    entries += [
        {"title": "Who bills", "link": "/admin/billing/issuer/"},
        {"title": "Which tariff is for whom", "link": "/admin/billing/tariffuse/"},
    ]
    for item in entries:
        answer = client.get(str(item["link"]))
        assert answer.status_code == 200, item["link"]
        text = answer.content.decode()
        tab = html.unescape(_between(text, "<title>", "</title>")).split("|")[0].strip()
        heading = _between(text, "<h1", "</h1>").partition(">")[2]
        words = [word.strip() for word in strip_tags(heading).split("chevron_right")]
        above = html.unescape(words[-1].split("\n")[0].strip())
        if not tab == above == item["title"]:
            wrong[item["title"]] = (tab, above)
        counted = _between(text, 'id="lv-count">', "</div>").strip().lower()
        stems = {word[:5] for word in OTHERWISE.get(item["title"], item["title"]).lower().split()}
        # "0 access attempts" stood below "Locked logins".
        if counted and not any(stem in counted for stem in stems):
            wrong[item["title"]] = (counted,)
    assert wrong == {}, wrong
