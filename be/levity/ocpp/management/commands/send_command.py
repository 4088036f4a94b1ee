"""`manage.py send_command`: a Call to a charger, from the shell."""

import json
import sys
import time
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser

from levity.explained import ExplainedCommand
from levity.ocpp.commands.lifecycle import BadCall, NeverSent
from levity.ocpp.commands.sending import send
from levity.ocpp.conf import call_timeout
from levity.ocpp.models import ChargePoint
from levity.ocpp.models import Command as OcppCommand
from levity.ocpp.versions import Version, is_done, version_of

__all__ = ["Command"]

LOOK = 0.2
EXAMPLES = """\
examples:
  send_command CP1 Reset '{"type":"Soft"}' --wait
  send_command CP1 GetConfiguration --wait
  send_command CP1 RemoteStartTransaction '{"connectorId":1,"idTag":"anonymous"}' --if-connected
"""


class Command(ExplainedCommand):
    """Inserts a row in the command queue; a running worker (or `levity serve`) sends it."""

    help = "Send an OCPP command to a charge point."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("charge_point", help="its identity: the last part of its URL")
        parser.add_argument("action", help="Reset, GetConfiguration, RemoteStartTransaction ...")
        parser.add_argument("payload", nargs="?", default="{}", help="JSON object [{}]")
        parser.add_argument(
            "--wait", action="store_true", help="print the answer; exit 1 if it is not Accepted"
        )
        parser.add_argument(
            "--if-connected",
            action="store_true",
            help="fail at once if the charger is offline, instead of waiting for it",
        )
        parser.add_argument("--delay", type=float, default=0, metavar="S", help="seconds [0]")
        parser.add_argument(
            "--expires",
            type=float,
            metavar="S",
            help="seconds after which to give up if it could not be sent [3600; 60 with --wait]",
        )
        parser.add_argument(
            "--timeout", type=int, metavar="S", help="seconds for the answer [the charger's]"
        )
        parser.add_argument("--key", help="idempotency key: the same key is sent only once")
        parser.add_argument(
            "--force",
            action="store_true",
            help="send even if the OCPP 1.6 schema does not allow it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["expires"] is None:
            options["expires"] = 60 if options["wait"] else 3600
        charge_point = self._charge_point(options["charge_point"])
        payload = self._payload(options, version_of(charge_point.subprotocol))
        try:
            command = send(
                charge_point,
                options["action"],
                payload,
                None,
                source="send_command",
                delay=timedelta(seconds=options["delay"]),
                expires_after=timedelta(seconds=options["expires"]),
                queue_offline=not options["if_connected"],
                timeout=options["timeout"],
                idempotency_key=options["key"],
                force=options["force"],
            ).command
        except BadCall as error:
            raise CommandError(f"{error} (--force sends it anyway)") from error
        except NeverSent as error:
            raise CommandError(f"{options['action']} is never sent: {error}") from error
        if not options["wait"]:
            self.stdout.write(f"queued as command {command.pk}")
            return
        sys.exit(self._wait(command, options))

    def _charge_point(self, identity: str) -> ChargePoint:
        found = ChargePoint.objects.filter(identity__iexact=identity).first()
        if found is None:
            known = ChargePoint.objects.order_by("identity").values_list("identity", flat=True)
            names = ", ".join(known[:10]) or "none yet"
            raise CommandError(f"no charge point {identity!r}; known: {names}")
        return found

    def _payload(self, options: dict[str, Any], version: Version) -> dict[str, Any]:
        action = options["action"]
        if action not in version.calls.actions:
            raise CommandError(version.calls.wrong_with(action, {}))
        try:
            payload = json.loads(options["payload"])
        except ValueError as error:
            raise CommandError(f"the payload is not JSON: {error}") from error
        if not isinstance(payload, dict):
            raise CommandError('the payload must be a JSON object, like \'{"type":"Soft"}\'')
        return payload

    def _wait(self, command: OcppCommand, options: dict[str, Any]) -> int:
        """Print how it ended; the exit status."""
        own = options["timeout"] or command.charge_point.call_timeout
        patience = options["delay"] + options["expires"] + call_timeout(own).total_seconds() + 10
        end = time.monotonic() + patience
        told = time.monotonic() + 3
        open_states = (OcppCommand.State.QUEUED, OcppCommand.State.SENT)
        while command.state in open_states and time.monotonic() < end:
            time.sleep(LOOK)
            command.refresh_from_db()
            if time.monotonic() > told and command.state == OcppCommand.State.QUEUED:
                command.charge_point.refresh_from_db()
                where = "connected" if command.charge_point.online else "not connected"
                self.stderr.write(
                    f"waiting: the charger is {where}; is a worker (or `levity serve`) running?"
                )
                told = end
        if command.state == OcppCommand.State.ANSWERED:
            self.stdout.write(json.dumps(command.result, indent=2, ensure_ascii=False))
            if command.confirmed_by:
                self.stderr.write(f"confirmed by {command.confirmed_by}")
            return 0 if is_done(command.result_status) else 1
        code = f" {command.error_code}" if command.error_code else ""
        self.stderr.write(f"{command.get_state_display()}:{code} {command.error_description}")
        return 1
