"""What apps add to the menu and the overview."""

import logging
from typing import Any

import pytest
from django.apps import AppConfig, apps
from django.contrib.auth.models import Permission, User
from django.test import RequestFactory
from django.urls import reverse_lazy

from levity.pages.checks import check_hooks
from levity.pages.kit import hooks


def with_hooks(monkeypatch: pytest.MonkeyPatch, **given: Any) -> AppConfig:
    """An installed app, with these attributes."""
    config = apps.get_app_config("levity_run")
    for name, value in given.items():
        monkeypatch.setattr(config, name, value, raising=False)
    return config


def request_of(user: User) -> Any:
    request = RequestFactory().get("/admin/")
    request.user = user
    return request


@pytest.fixture
def olga(db: None) -> User:
    return User.objects.create_user("olga", is_staff=True)


def titles(groups: list[hooks.Item]) -> dict[str, list[str]]:
    return {group["title"]: [item["title"] for item in group["items"]] for group in groups}


def test_entries_go_to_their_group_and_are_shown_to_who_may_see_them(
    monkeypatch: pytest.MonkeyPatch, olga: User
) -> None:
    navigation = [
        ("Charging", [("Sites again", "home", "ocpp.site"), ("Tags again", "badge", "ocpp.idtag")]),
        (
            "Billing",
            [
                ("Report", "bar_chart", "/reports/"),
                ("Lazy", "bar_chart", reverse_lazy("levity:index")),
                ("For some", "lock", lambda request: "/x/" if request.user.is_superuser else ""),
            ],
        ),
    ]
    with_hooks(monkeypatch, levity_navigation=navigation)
    olga.user_permissions.add(Permission.objects.get(codename="view_site"))
    assert titles(hooks.menu(request_of(olga))) == {
        "Charging": ["Sites", "Sites again"],
        "Billing": ["Report", "Lazy"],
    }
    everything = titles(hooks.menu(request_of(User(is_superuser=True, is_active=True))))
    assert list(everything) == [*hooks.FIRST, "Billing"]
    assert everything["Billing"] == ["Report", "Lazy", "For some"]
    assert everything["Trouble"][:2] == ["Alerts", "Alert rules"]


def test_tiles_that_fail_are_named_and_left_out(
    monkeypatch: pytest.MonkeyPatch, olga: User, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(request: Any) -> list[hooks.Tile]:
        raise ZeroDivisionError

    with_hooks(monkeypatch, levity_tiles=broken)
    with caplog.at_level(logging.ERROR):
        assert hooks.tiles(request_of(olga), hooks.TILES) == []
    assert "levity_tiles of levity.run failed" in caplog.text
    with_hooks(monkeypatch, levity_tiles=lambda request: [{"title": "Income", "value": "1"}])
    assert hooks.tiles(request_of(olga), hooks.TILES) == [{"title": "Income", "value": "1"}]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"levity_navigation": [("Billing", [("Report", "bar_chart")])]}, "is a list of (title,"),
        ({"levity_navigation": ["Billing"]}, "is a list of (title,"),
        ({"levity_navigation": [("B", [("R", "x", "billing.nothing")])]}, "not an installed model"),
        ({"levity_tiles": "billing.nowhere.tiles"}, "levity_tiles: No module named 'billing'"),
        ({"levity_trouble": 7}, "levity_trouble is a function of the request"),
    ],
)
def test_a_hook_that_can_not_work_is_named_by_the_system_checks(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], said: str
) -> None:
    assert check_hooks() == []
    with_hooks(monkeypatch, **given)
    [problem] = check_hooks()
    assert (problem.id, said in problem.msg) == ("pages.E003", True)
    assert problem.msg.startswith("levity.run: ")
