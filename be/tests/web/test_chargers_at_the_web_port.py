"""A charger that calls port 8000 instead of 9000 is told so, and so is its owner (NEWCOMER B17)."""

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from levity.ocpp.models import RefusedHandshake
from levity.web.chargers import ChargersElsewhere
from levity_ws.edge.refusals import LISTED, PAUSE

pytestmark = pytest.mark.django_db

HANDSHAKE = {
    "HTTP_UPGRADE": "websocket",
    "HTTP_CONNECTION": "Upgrade",
    "HTTP_SEC_WEBSOCKET_PROTOCOL": "ocpp1.6",
    "HTTP_USER_AGENT": "TinyWebsockets Client",
    "HTTP_HOST": "192.0.2.7:8000",
}


@pytest.mark.parametrize("path", ["/ws/GRS-1", "/GRS-1", "/ws/GRS-1/", "/admin/"])
def test_a_charger_at_the_port_of_the_web_pages_is_told_the_right_one(
    client: Client, path: str
) -> None:
    """Also where its host is no name of the site: chargers have an address."""
    response = client.get(path, **HANDSHAKE)  # type: ignore[arg-type]
    named = "<charge point id>" if path == "/admin/" else "GRS-1"
    assert response.status_code == 404
    assert response.content.decode() == (
        "This is the port of the web pages. Chargers connect to port 9000: "
        f"ws://<this host>:9000/ws/{named}\n"
    )


def test_the_terminal_says_what_was_wrong(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    """The README promises the reason of every refusal; it said "Not Found: /ws/GRS-1"."""
    client.get("/ws/GRS-1", **HANDSHAKE)  # type: ignore[arg-type]
    assert [record.getMessage() for record in caplog.records] == [
        (
            "Refused '/ws/GRS-1' from 127.0.0.1: 404 This is the port of the web pages. Chargers "
            "connect to port 9000: ws://<this host>:9000/ws/GRS-1"
        )
    ]


def test_the_doctor_says_use_port_9000(client: Client) -> None:
    client.get("/ws/GRS-1", **HANDSHAKE)  # type: ignore[arg-type]
    row = RefusedHandshake.objects.get()
    assert (row.identity, row.address, row.reason, row.status, row.detail, row.path) == (
        *("GRS-1", "127.0.0.1", "web-port", 404, "use port 9000", "/ws/GRS-1"),
    )
    assert (row.user_agent, row.subprotocols) == ("TinyWebsockets Client", "ocpp1.6")
    client.force_login(User.objects.create_superuser("root"))
    page = client.get(reverse("admin:ocpp_refusedhandshake_changelist")).content.decode()
    assert "came to the port of the web pages" in page
    assert "use port 9000" in page


def test_a_flood_at_the_web_port_cannot_fill_the_table() -> None:
    """One statement within seconds, with a bounded number of rows, whatever comes."""
    now = [100.0]
    pages = ChargersElsewhere(lambda _: HttpResponse("a page"), clock=lambda: now[0])
    ask = RequestFactory()
    for number in range(1000):
        pages(ask.get(f"/ws/CP{number}", **HANDSHAKE))  # type: ignore[arg-type]
    assert RefusedHandshake.objects.count() == 1
    now[0] += PAUSE
    pages(ask.get("/ws/CP1", **HANDSHAKE))  # type: ignore[arg-type]
    assert RefusedHandshake.objects.count() == 1 + LISTED
    assert RefusedHandshake.objects.get(identity="CP1").count == 2


def test_a_page_is_a_page() -> None:
    pages = ChargersElsewhere(lambda _: HttpResponse("a page"))
    assert pages(RequestFactory().get("/ws/CP1")).content == b"a page"
    assert not RefusedHandshake.objects.exists()
