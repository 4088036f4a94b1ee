"""Which address the pages and the terminal tell people to type into a charger (B4)."""

import subprocess
import sys

import pytest

from levity import addresses, environment
from levity.addresses import charger_addresses

AT_HOME = ["192.168.1.20", "10.8.0.3"]


@pytest.fixture(autouse=True)
def two_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "local_addresses", lambda: AT_HOME)


def shown(called: str, hostname: str = "", **more: bool) -> list[str]:
    found = charger_addresses(called, {"HOSTNAME": hostname}, port=9000, **more)
    return [each.url for each in found]


NETWORK = ["ws://192.168.1.20:9000/ws/", "ws://10.8.0.3:9000/ws/"]


@pytest.mark.parametrize(
    "called", ["localhost:8000", "127.0.0.1:8000", "127.0.1.1", "[::1]:8000", "x.localhost:8311"]
)
def test_a_charger_is_never_told_to_call_itself(called: str) -> None:
    """The first address that a new user saw was ws://localhost:9000; also through a tunnel."""
    assert shown(called) == NETWORK


def test_the_name_by_which_the_network_knows_the_page_comes_first() -> None:
    assert shown("192.168.1.20:8000") == NETWORK
    assert shown("10.8.0.3:8000") == NETWORK[::-1]
    assert shown("chargers.example.net:8000")[0] == "ws://chargers.example.net:9000/ws/"
    assert shown("[fd00::7]:8000")[0] == "ws://[fd00::7]:9000/ws/"


def test_a_name_that_chargers_may_not_find_comes_last() -> None:
    assert shown("raspberrypi.local:8000") == [*NETWORK, "ws://raspberrypi.local:9000/ws/"]
    assert shown("basement:8000") == [*NETWORK, "ws://basement:9000/ws/"]


def test_hostname_counts_where_the_page_was_called_as_localhost() -> None:
    assert (
        shown("localhost:8000", "Chargers.Example.net")[0] == "ws://chargers.example.net:9000/ws/"
    )
    # What every container runtime and every shell sets is no name that somebody chose.
    assert shown("localhost:8000", "3f2a9c51d7e0") == NETWORK


def test_behind_tls_or_a_proxy_chargers_connect_to_the_same_port() -> None:
    assert shown("chargers.example.net", secure=True) == ["wss://chargers.example.net/ws/"]
    assert shown("chargers.example.net:8443", secure=True) == [
        "wss://chargers.example.net:8443/ws/"
    ]
    assert shown("192.168.1.9:8080", same_port=True) == ["ws://192.168.1.9:8080/ws/"]
    assert shown("localhost", "levity.example.net", same_port=True) == [
        "ws://levity.example.net/ws/"
    ]
    # The addresses of a container are of no use to anybody outside.
    [only] = charger_addresses("localhost", {}, port=9000, same_port=True)
    assert (only.url, "this computer's network address" in only.note) == (
        "ws://localhost/ws/",
        True,
    )


def test_without_a_network_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "local_addresses", list)
    [only] = charger_addresses("localhost:8000", {}, port=9000)
    assert (only.bare, "no network" in only.note) == ("localhost:9000/ws/", True)


def test_the_name_in_hostname_is_one_that_somebody_chose() -> None:
    for name, found in (
        ("", ""),
        ("box", ""),
        ("3f2a9c51d7e0", ""),
        ("localhost", ""),
        (".example.net", ""),
        ("a.example.net, b.example.net", "a.example.net"),
        ("192.168.1.5", "192.168.1.5"),
    ):
        assert environment.public_name({"HOSTNAME": name}, "box") == found


def test_this_machine_has_no_loopback_among_its_addresses() -> None:
    said = subprocess.run(
        [sys.executable, "-c", "from levity.addresses import *; print(*local_addresses())"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert len(said) == len(set(said))
    assert not [address for address in said if address.startswith(("127.", "0.", "169.254."))]
