"""A charger that calls port 8000 instead of 9000 is told so, and so is its owner (NEWCOMER B17)."""

import threading
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from levity.ocpp.models import RefusedHandshake
from levity.run.web.chargers import AT_ONCE, ChargersElsewhere
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
    assert "connected to the port of the web pages" in page
    assert "use port 9000" in page


def test_a_second_charger_within_the_same_second_is_listed_at_once(client: Client) -> None:
    """It was listed with the next call of anybody, seconds later or never."""
    for name in ("GRS-1", "GRS-2", "GRS-2"):
        client.get(f"/ws/{name}", **HANDSHAKE)  # type: ignore[arg-type]
    rows = RefusedHandshake.objects.order_by("identity").values_list("identity", "count")
    assert list(rows) == [("GRS-1", 1), ("GRS-2", 2)]


def test_a_flood_at_the_web_port_cannot_fill_the_table() -> None:
    """A few statements within seconds, with a bounded number of rows, whatever comes."""
    now = [100.0]
    put_off: list[tuple[float, Callable[[], None]]] = []
    pages = ChargersElsewhere(
        lambda _: HttpResponse("a page"),
        clock=lambda: now[0],
        later=lambda seconds, call: put_off.append((seconds, call)),
    )
    ask = RequestFactory()
    for number in range(1000):
        pages(ask.get(f"/ws/CP{number}", **HANDSHAKE))  # type: ignore[arg-type]
    assert RefusedHandshake.objects.count() == AT_ONCE
    [(seconds, _)] = put_off
    assert seconds == PAUSE
    now[0] += PAUSE
    pages(ask.get("/ws/CP10", **HANDSHAKE))  # type: ignore[arg-type]
    assert RefusedHandshake.objects.count() == AT_ONCE + LISTED
    assert RefusedHandshake.objects.get(identity="CP10").count == 2


@pytest.mark.django_db(transaction=True)
def test_what_was_too_much_at_once_is_listed_with_no_further_call() -> None:
    """By the thread that waited, which leaves no connection to the database behind."""
    put_off: list[threading.Thread] = []
    pages = ChargersElsewhere(
        lambda _: HttpResponse("a page"),
        clock=lambda: 100.0,
        later=lambda _, call: put_off.append(threading.Thread(target=call)),
    )
    for number in range(AT_ONCE + 3):
        pages(RequestFactory().get(f"/ws/CP{number}", **HANDSHAKE))  # type: ignore[arg-type]
    assert RefusedHandshake.objects.count() == AT_ONCE
    [waiting] = put_off
    waiting.start()
    waiting.join()
    assert RefusedHandshake.objects.count() == AT_ONCE + 3


def test_a_page_is_a_page() -> None:
    pages = ChargersElsewhere(lambda _: HttpResponse("a page"))
    assert pages(RequestFactory().get("/ws/CP1")).content == b"a page"
    assert not RefusedHandshake.objects.exists()
