"""Where chargers are sent to: S-16; and what guessing numbers brings: S-17."""

from decimal import Decimal
from typing import Any

import pytest

from levity.ocpp.commands.lifecycle import NeverSent, queue
from levity.ocpp.models import ChargePoint, Command, Transaction
from levity.ocpp.v16.guards import objection
from tests.ocpp.charger import CentralSystem, Charger

GOOD = (
    "https://files.example.com/fw.bin",
    "http://files.example.com:8080/a/b?c=d",
    "ftp://user:password@files.example.com/up",
    "ftps://files.example.com/",
    "sftp://files.example.com/",
    "HTTPS://FILES.EXAMPLE.COM/",
    "https://8.8.8.8/fw.bin",
    "https://[2606:4700:4700::1111]/fw.bin",
    "https://xn--grn-ioa.example/",
    "http://8-8-8-8.nip.io/",
    "http://8.8.4.4.sslip.io/",
    "http://2606-4700-4700--1111.sslip.io/",
    # Numbers in names that are no addresses, and a hash that is.
    "http://fw-10-0-0.example.com/",
    "http://10.example.com/",
    "http://v999-10-0-0-999.example.com/",
    "http://0a000001.example.com/",
)
BAD = (
    "file:///etc/passwd",
    "file://files.example.com/etc/passwd",
    "gopher://files.example.com/",
    "dict://files.example.com/",
    "ldap://files.example.com/",
    "javascript:alert(1)",
    "data:text/plain,x",
    "files.example.com/fw.bin",
    "//files.example.com/fw.bin",
    "https://",
    "https:///fw.bin",
    "http://169.254.169.254/latest/meta-data/",
    "http://127.0.0.1/",
    "http://127.1/",
    "http://0.0.0.0/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://017700000001/",
    "http://10.0.0.1/",
    "http://192.168.1.7/",
    "http://172.16.0.1/",
    "http://100.64.0.1/",
    "http://224.0.0.1/",
    "http://[::1]/",
    "http://[::]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fd00::1]/",
    "http://[::ffff:169.254.169.254]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://rabbitmq:15672/",
    "http://db.internal/",
    "http://nas.local/",
    "http://printer.lan/",
    "http://router.home.arpa/",
    "http://metadata.google.internal/",
    # A name server answers these with the address that stands in them.
    "http://169.254.169.254.nip.io/latest/meta-data/",
    "http://169-254-169-254.sslip.io/",
    "http://fw.10.0.0.1.nip.io./",
    "http://app-192-168-1-250.nip.io:8080/",
    "http://www-10-0-0-1-x.xip.io/",
    "http://A9FEA9FE.nip.io/",
    "http://app-7f000001.nip.io/",
    "http://--1.sslip.io/",
    "http://fe80--1.sslip.io/",
    "http://64-ff9b--a9fe-a9fe.sslip.io/",
    "http://8.8.8.8.10.0.0.1.nip.io/",
    "http://10-0-0-1.of-somebody-s-own.example.com/",
    "http://localtest.me/",
    "http://any.localtest.me/",
    "http://\uff11\uff16\uff19.254.169.254/",
    "http://169\u3002254\u3002169\u3002254/",
    "http://files.example.com@127.0.0.1/",
    "http://files.example.com\\@127.0.0.1/",
    "http://files.example.com /",
    "http://files.example.com/\r\nX: y",
    "http://[::1",
    "http://files.example.com:99999/",
)
WAYS: dict[str, Any] = {
    "GetDiagnostics": lambda url: {"location": url},
    "UpdateFirmware": lambda url: {"location": url, "retrieveDate": "2026-11-22T12:00:00Z"},
    "GetLog": lambda url: {
        "logType": "SecurityLog",
        "requestId": 1,
        "log": {"remoteLocation": url},
    },
    "SignedUpdateFirmware": lambda url: {
        "requestId": 1,
        "firmware": {"location": url, "retrieveDateTime": "2026-11-22T12:00:00Z"},
    },
}


@pytest.mark.parametrize("action", WAYS)
def test_chargers_are_sent_to_public_hosts_by_the_usual_protocols(action: str) -> None:
    """S-16."""
    assert {url: objection(action, WAYS[action](url), 0) for url in GOOD} == dict.fromkeys(GOOD, "")


@pytest.mark.parametrize("action", WAYS)
@pytest.mark.parametrize("url", BAD)
def test_chargers_are_not_sent_inside_a_network_or_to_files(action: str, url: str) -> None:
    """S-16: however it is written."""
    assert objection(action, WAYS[action](url), 0)


def test_a_host_inside_can_be_named(settings: Any) -> None:
    """S-16: the storage of a site of its own; exactly that, and the networks that are named."""
    settings.OCPP_LOCATION_HOSTS = ("nas.local", "192.168.1.0/24", "fd00::/8")
    for url, allowed in (
        ("ftp://nas.local/fw.bin", True),
        ("ftp://NAS.local./fw.bin", True),
        ("http://192.168.1.7/", True),
        ("http://[fd00::5]/", True),
        ("http://192-168-1-7.nip.io/", True),
        ("http://192-168-2-7.nip.io/", False),
        ("http://192.168.2.7/", False),
        ("http://other.local/", False),
        ("http://sub.nas.local/", False),
        ("file://nas.local/etc/passwd", False),
    ):
        assert bool(objection("GetDiagnostics", {"location": url}, 0)) is not allowed, url


def test_the_refusal_of_a_name_says_which_address_it_leads_to() -> None:
    said = objection("GetDiagnostics", {"location": "http://169.254.169.254.nip.io/"}, 0)
    assert "is a name for 169.254.169.254, a private network address" in said


@pytest.mark.django_db
def test_such_a_command_is_never_queued_nor_sent() -> None:
    """S-16: from the pages, from the command line, from an extension."""
    row = ChargePoint.objects.create(identity="CP1")
    with pytest.raises(NeverSent, match="private network address"):
        queue(row, "GetDiagnostics", {"location": "http://169.254.169.254/"}, source="test")
    assert not Command.objects.exists()


@pytest.mark.django_db
def test_guessing_numbers_stops_nothing_and_answers_for_nobody() -> None:
    """S-17: a charger that guesses transaction ids and message ids of another one."""
    site = CentralSystem()
    mine, thief = site.connect(Charger("MINE")), site.connect(Charger("THIEF"))
    transaction_id = site.start(mine)
    command = Command.objects.create(
        charge_point=ChargePoint.objects.get(identity="MINE"),
        action="Reset",
        state=Command.State.SENT,
        connection=mine.connection,
    )
    for number in range(max(0, transaction_id - 100), transaction_id + 100):
        assert "idTagInfo" not in site.result(thief.stops(number))
        assert site.result(thief.measures(number, 10**6)) == {}
    site.take(thief.answers(command.unique_id, {"status": "Accepted"}))
    found = Transaction.objects.get(pk=transaction_id)
    assert (found.state, found.meter_stop, found.meter_start) == ("active", None, Decimal(1000))
    command.refresh_from_db()
    assert command.state == Command.State.SENT
