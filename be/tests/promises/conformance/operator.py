"""The operator's side of a case: `levity send_command ... --wait`, and a charger that obeys.

The command is the real one, in a process of its own that is started once: starting Django seventy
times would take longer than all the cases.
"""

import asyncio
import http.client
import json
import re
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.system.processes import python
from tests.system.site import Site

__all__ = ["ANSWERS", "ApiOperator", "Commanded", "Operator", "operator_of", "program_of"]

# What a charger that obeys says, where it is not simply Accepted.
ANSWERS: dict[str, dict[str, Any]] = {
    "GetConfiguration": {"configuration_key": [], "unknown_key": []},
    "GetDiagnostics": {"file_name": "diagnostics.zip"},
    "GetLocalListVersion": {"list_version": 0},
    "GetLog": {"status": "Accepted", "filename": "security.log"},
    "UnlockConnector": {"status": "Unlocked"},
    "UpdateFirmware": {},
}
ACTIONS = (
    *("CancelReservation", "CertificateSigned", "ChangeAvailability", "ChangeConfiguration"),
    *("ClearCache", "ClearChargingProfile", "DataTransfer", "DeleteCertificate"),
    "ExtendedTriggerMessage",
    *("GetCompositeSchedule", "GetConfiguration", "GetDiagnostics", "GetInstalledCertificateIds"),
    *("GetLocalListVersion", "GetLog", "InstallCertificate", "RemoteStartTransaction"),
    *("RemoteStopTransaction", "ReserveNow", "Reset", "SendLocalList", "SetChargingProfile"),
    *("SignedUpdateFirmware", "TriggerMessage", "UnlockConnector", "UpdateFirmware"),
)


class Commanded(ChargePoint):
    """Another author's charger: it checks every Call against the official schema, answers as
    `answers` says, and remembers what it was asked."""

    def __init__(self, identity: str, socket: ClientConnection) -> None:
        super().__init__(identity, socket)
        self.socket = socket
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, dict[str, Any]] = {}


def _handler(action: str) -> Any:
    answer = getattr(call_result, action)

    async def handle(self: Commanded, **payload: Any) -> Any:
        self.asked.append((action, payload))
        said = self.answers.get(action) or ANSWERS.get(action, {"status": "Accepted"})
        return answer(**said)

    # The library finds handlers by the names of functions.
    handle.__name__ = f"on_{action}"
    return on(action)(handle)


for _action in ACTIONS:
    setattr(Commanded, f"on_{_action}", _handler(_action))


@asynccontextmanager
async def commanded(url: str, identity: str) -> AsyncIterator[Commanded]:
    """Connected, and listening until the block ends."""
    async with connect(f"{url}/{identity}", subprotocols=["ocpp1.6"], proxy=None) as socket:
        charger = Commanded(identity, socket)
        listening = asyncio.ensure_future(charger.start())
        try:
            yield charger
        finally:
            await socket.close()
            listening.cancel()
            with suppress(asyncio.CancelledError, ConnectionClosed):
                await listening


# Reads one JSON list of arguments a line; writes what send_command printed and its exit status.
_LOOP = """
import io, json, sys
import django
django.setup()
from django.core.management import CommandError, call_command
for line in sys.stdin:
    out, errors, status = io.StringIO(), io.StringIO(), 0
    try:
        call_command("send_command", *json.loads(line), stdout=out, stderr=errors)
    except SystemExit as end:
        status = end.code or 0
    except CommandError as error:
        status = 2
        errors.write(str(error))
    print(json.dumps([status, out.getvalue(), errors.getvalue()]), flush=True)
"""


class Operator:
    """Somebody at a shell beside the site."""

    suffix = ""
    """Of the identities of the chargers, so that no case meets what another operator has done."""

    def __init__(self, shell: "subprocess.Popen[str]") -> None:
        self._shell = shell

    def send(self, identity: str, action: str, payload: dict[str, Any]) -> tuple[int, Any]:
        """Exit status and the charger's answer (or what was said instead)."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        arguments = [identity, action, json.dumps(payload), "--wait", "--timeout", "20"]
        self._shell.stdin.write(json.dumps(arguments) + "\n")
        self._shell.stdin.flush()
        status, out, errors = json.loads(self._shell.stdout.readline())
        return status, json.loads(out) if out else errors

    async def sends(
        self, charger: Commanded, action: str, payload: dict[str, Any] | None = None
    ) -> tuple[int, Any]:
        """The same, while the charger listens."""
        return await asyncio.to_thread(self.send, charger.id, action, payload or {})

    def play(self, site: Site, identity: str, script: "Script") -> Any:
        """Connect a charger, let it and the operator play this, and leave."""

        async def run() -> Any:
            async with commanded(site.url(), identity) as charger:
                return await script(charger)

        return asyncio.run(run())


class ApiOperator(Operator):
    """A program with a token, that sends over the REST API and waits."""

    suffix = "-API"

    def __init__(self, port: int, token: str) -> None:
        self._port, self._token = port, token

    def send(self, identity: str, action: str, payload: dict[str, Any]) -> tuple[int, Any]:
        """As the shell tells it: 0 for done, 1 for no, 2 for what was not sent."""
        status, body = self.post(identity, {"action": action, "payload": payload, "wait": 20})
        if status == 422:
            return 2, body["detail"]
        assert status == 200, body
        if body["status"] == "answered":
            return 0 if body["is_done"] else 1, body["result"]
        return 1, f"{body['status']}: {body['error']['code']} {body['error']['description']}"

    def post(self, identity: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Ask the API; status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request(
                "POST",
                f"/api/v1/charge-points/{identity}/commands",
                json.dumps(body),
                {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
            )
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()


Script = Callable[[Commanded], Awaitable[Any]]


@contextmanager
def operator_of(site: Site) -> Iterator[Operator]:
    """A shell beside this site, until the block ends."""
    environ = {**site.environ, "DJANGO_SETTINGS_MODULE": "levity.settings"}
    with subprocess.Popen(
        python("-c", _LOOP),
        env=environ,
        cwd=site.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as shell:
        try:
            yield Operator(shell)
        finally:
            shell.kill()


def program_of(site: Site) -> ApiOperator:
    """A program with a token of its own for this embedded site."""
    port = int(site.workers[0].line(r"http://localhost:(\d+)/admin")[1])
    ran = site.levity("api_token", "create", "conformance", "--scope", "operate")
    assert ran.returncode == 0, ran.stderr
    found = re.search(r"levity_\S+", ran.stdout)
    assert found, ran.stdout
    return ApiOperator(port, found[0])
