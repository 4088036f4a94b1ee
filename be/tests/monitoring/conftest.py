"""What the tests of alerts and metrics share."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.monitoring.receivers import MailServer, WebServer, running


@pytest.fixture(autouse=True)
def nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the shell that runs the tests tells anybody."""
    for name in (
        "LEVITY_ALERT_EMAIL",
        "LEVITY_ALERT_WEBHOOK",
        "LEVITY_ALERT_QUIET_HOURS",
        "LEVITY_METRICS_TOKEN",
        "LEVITY_CERTIFICATES",
        "LEVITY_WEBHOOK_ALLOWED",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def mail_server(settings: Any) -> Iterator[MailServer]:
    """A real one, which the settings name."""
    with running(MailServer()) as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.DEFAULT_FROM_EMAIL = "levity@example.net"
        yield server


@pytest.fixture
def web_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    """A real one; this machine may be called, for once."""
    monkeypatch.setenv("LEVITY_WEBHOOK_ALLOWED", "127.0.0.1")
    with running(WebServer()) as server:
        yield server


@pytest.fixture
def browser_of_root(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client
