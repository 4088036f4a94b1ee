"""`levity replay`: play the charger's half of a recorded conversation against a central system."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from levity.explained import ExplainedCommand
from levity.ocpp.conversation.lines import BadConversationError, read_lines
from levity.ocpp.conversation.player import CannotConnectError, Player
from levity.ocpp.conversation.script import script_of

__all__ = ["Command"]

EXAMPLES = """\
examples:
  levity export_messages GARAGE --anonymise --output garage.jsonl
  levity replay garage.jsonl --url ws://localhost:9000/ws --identity REPLAY-1 --no-wait

exit status: 0 the server answered as recorded; 1 it did not; 2 no conversation, or no connection
"""


class Command(ExplainedCommand):
    """Needs neither the database nor a running Levity of its own."""

    help = "Replay the charger's side of a conversation (JSON Lines) against any OCPP 1.6 server."
    examples = EXAMPLES
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("conversation", type=Path, help="a file from `levity export_messages`")
        add("--url", required=True, help="ws://host:9000/ws; the identity is appended")
        add("--identity", help="[as recorded]")
        pace = parser.add_mutually_exclusive_group()
        pace.add_argument("--speed", type=_positive, default=1.0, metavar="X", help="[1]")
        pace.add_argument("--no-wait", action="store_true", help="as fast as the server answers")
        add("--timeout", type=_positive, default=30.0, metavar="S", help="for answers [30]")
        add("--patience", type=_positive, default=3.0, metavar="S", help="for its Calls [3]")
        add("--password", help="for HTTP Basic authentication")
        add(
            "--keep-times",
            action="store_true",
            help="send the recorded times; by default they are shifted to now",
        )
        add("--json", action="store_true", help="print the result as JSON, and no progress")

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["conversation"]
        try:
            with path.open(encoding="utf-8") as file:
                lines = list(read_lines(file))
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}", returncode=2) from error
        except (BadConversationError, UnicodeDecodeError) as error:
            raise CommandError(f"{path}: {error}", returncode=2) from error
        identity = options["identity"] or next(
            (line.identity for line in lines if line.identity), ""
        )
        if not lines or not identity:
            raise CommandError(
                f"{path}: " + ("names no charge point; use --identity" if lines else "is empty"),
                returncode=2,
            )
        try:
            player = Player(
                options["url"],
                identity,
                script_of(lines),
                speed=0.0 if options["no_wait"] else options["speed"],
                timeout=options["timeout"],
                patience=options["patience"],
                password=options["password"],
                keep_times=options["keep_times"],
                progress=(lambda _: None) if options["json"] else self._progress,
            )
            summary = asyncio.run(player.play())
        except (CannotConnectError, ValueError) as error:
            raise CommandError(str(error), returncode=2) from error
        except KeyboardInterrupt:
            sys.exit(130)
        if options["json"]:
            self.stdout.write(json.dumps(summary.as_dict()))
        else:
            self._progress("")
            self.stdout.write(
                f"{summary.connections} connections, {summary.sent} frames sent, "
                f"{summary.answered} answered, {sum(summary.calls.values())} Calls of the server, "
                f"{len(summary.differences)} differences"
            )
            for found in summary.differences:
                self.stdout.write(f"  {found}")
        if summary.differences:
            sys.exit(1)

    def _progress(self, text: str) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{text}\x1b[K", ending="")
            self.stderr.flush()


def _positive(text: str) -> float:
    number = float(text)
    if number <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number
