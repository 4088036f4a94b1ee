"""People with each role, two sites, and browsers for all of them."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.template.response import SimpleTemplateResponse
from django.test import Client

from levity.accounts.models import Account
from levity.ocpp.models import Site

PASSWORD = "a long enough pass phrase"


@pytest.fixture(autouse=True)
def said_quietly() -> Iterator[None]:
    """Thousands of requests are refused here, each with a traceback in the log."""
    loggers = [logging.getLogger(name) for name in ("django.request", "django.security")]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.CRITICAL)
    yield
    for each, level in zip(loggers, levels, strict=True):
        each.setLevel(level)


@pytest.fixture
def unwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Views are called, and the texts of their pages are not made, which takes most of the time:
    for what status, headers and tables tell. (test_markup.py reads the texts of all pages.)"""
    monkeypatch.setattr(SimpleTemplateResponse, "rendered_content", "")


@pytest.fixture
def person(db: None) -> Callable[..., User]:
    """Makes a user of the staff; `role` is a group, `sites` limits him to these."""

    def make(name: str, role: str = "", sites: list[Site] | None = None, **values: Any) -> User:
        user = User.objects.create_user(name, password=PASSWORD, is_staff=True, **values)
        if role:
            user.groups.add(Group.objects.get(name=role))
        if sites is not None:
            account = Account.objects.create(user=user, limited=True)
            account.sites.set(sites)
        return user

    return make


@pytest.fixture
def browser(person: Callable[..., User]) -> Callable[..., Client]:
    """A browser in which this person is logged in; None is nobody."""

    def make(user: User | None, **options: Any) -> Client:
        client = Client(**options)
        if user is not None:
            client.force_login(user)
        return client

    return make


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root", password=PASSWORD)
