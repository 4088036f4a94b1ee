"""People who look at the admin: one who may do everything, and one who may only look."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from levity.ocpp.models import ChargePoint
from tests.ocpp.keyed_lines import line, now

__all__ = ["browser_of_root", "browser_of_viewer", "charger", "line", "now", "root", "viewer"]


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root")


@pytest.fixture
def viewer(db: None) -> User:
    """May see everything of the site and change nothing."""
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label="ocpp", codename__startswith="view_")
    )
    return user


@pytest.fixture
def browser_of_root(root: User) -> Client:
    client = Client()
    client.force_login(root)
    return client


@pytest.fixture
def browser_of_viewer(viewer: User) -> Client:
    client = Client()
    client.force_login(viewer)
    return client


@pytest.fixture
def charger(db: None) -> ChargePoint:
    """A charge point with one connector."""
    found = ChargePoint.objects.create(identity="RDAM 123|%:x", vendor="Vendor", model="Model")
    found.connectors.create(number=1, status="Available")
    return found


@pytest.fixture(autouse=True)
def time_zone(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
