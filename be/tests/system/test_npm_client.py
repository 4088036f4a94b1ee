"""A charger written in JavaScript (npm: ocpp-rpc), which validates everything that it is told."""

import json
import os
import shutil
from decimal import Decimal

import pytest

from levity.ocpp.models import ConnectionEvent, Message, Transaction
from tests.kept import Samples
from tests.system.processes import CHECKOUT, eventually, run
from tests.system.site import Site

CLIENTS = CHECKOUT / "be/tests/npm"
ENVIRON = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/tmp")}


@pytest.fixture(scope="session")
def node() -> str:
    """The program that runs JavaScript, with the packages of the lock file installed."""
    found = shutil.which("node") or shutil.which("nodejs")
    assert found, "no node on the PATH: `make test` installs it, or Debian's package nodejs"
    if not (CLIENTS / "node_modules/.package-lock.json").exists():
        assert shutil.which("npm"), "no npm on the PATH: `make test` installs it"
        installed = run(["npm", "ci", "--no-audit", "--no-fund"], ENVIRON, CLIENTS, 300)
        assert installed.returncode == 0, installed.stderr
    return found


@pytest.mark.services
@pytest.mark.parametrize("origin", ["", "https://github.com/gilmaimon/TinyWebsockets"])
def test_charger_in_javascript_charges_and_is_on_the_books(
    site: Site, node: str, origin: str
) -> None:
    """Also where its library names an Origin, as that of the Grizzl-E does."""
    identity = f"NPM-{len(origin)}"
    played = run([node, "session.mjs", site.url(), identity, origin], ENVIRON, CLIENTS)
    assert (played.stderr, played.returncode) == ("", 0)
    told = json.loads(played.stdout)
    transaction_id = told["start"].pop("transactionId")
    assert told == {
        "protocol": "ocpp1.6",
        "boot": ["Accepted", 300],
        "authorize": {"idTagInfo": {"status": "Accepted"}},
        "start": {"idTagInfo": {"status": "Accepted"}},
        "meterValues": {},
        "stop": {},
        "heartbeat": ["currentTime"],
        "asked": [{"connectorId": 1, "idTag": "anonymous"}],
    }
    books, mine = site.books, {"charge_point__identity": identity}
    assert books.rows(
        Transaction, "id", "state", "id_tag", "meter_start", "meter_stop", "energy", **mine
    ) == [(transaction_id, "stopped", "anonymous", Decimal(0), Decimal(900), Decimal(900))]
    assert books.rows(Samples, "transaction", "measurand", "raw_value", "value", **mine) == [
        (transaction_id, "Energy.Active.Import.Register", "400", Decimal(400))
    ]
    assert books.rows(Message, "sender", "action", "error_code", **mine) == [
        ("cp", "BootNotification", ""),
        ("cp", "StatusNotification", ""),
        ("cs", "RemoteStartTransaction", ""),
        ("cp", "Authorize", ""),
        ("cp", "StartTransaction", ""),
        ("cp", "StatusNotification", ""),
        ("cp", "MeterValues", ""),
        ("cp", "StopTransaction", ""),
        ("cp", "StatusNotification", ""),
        ("cp", "Heartbeat", ""),
    ]
    ended = [("connected", None), ("disconnected", 1000)]
    assert eventually(lambda: books.rows(ConnectionEvent, "kind", "code", **mine), ended) == ended
