"""The command `levity` (also `python -m levity`): Django's management commands, ours included."""

import os
import sys
import textwrap
from importlib.util import find_spec

from django.core.exceptions import ImproperlyConfigured
from django.core.management import BaseCommand, ManagementUtility, get_commands
from django.db import OperationalError

from levity_ws import __version__

__all__ = ["main"]

# In the order in which people come to need them.
COMMANDS = {
    "serve": "everything a small installation needs; --demo adds ten simulated chargers",
    "send_command": 'send a command to a charger: send_command garage-1 Reset \'{"type":"Soft"}\'',
    "import_id_tags": "import id tags (cards) from a spreadsheet (CSV); export_id_tags writes one",
    "backup": "back up the database while Levity runs; restore restores it",
    "changepassword": "set a new password: changepassword admin; createsuperuser adds a login",
    "two_factor": "list who uses two-factor authentication",
    "quirks": "list the makes of chargers that Levity knows",
    "simulate": "simulated chargers",
    "export_messages": "export a charger's conversation; replay plays it back",
    "correct_meter_values": "compute past sessions again by the current rules",
    "unassigned_energy": "list the energy that meters recorded outside sessions",
    "run_report": "a row for each session of a period: run_report transaction START END --tz ZONE",
    "import_history": "import past sessions of another system from CSV (--dry-run)",
    "price": "compute what a session costs by a tariff",
    "close_statements": "check and close the statements of a month: close_statements 2026-11",
    "accounting": "files for accountants: accounting xrechnung 2026-11 invoices.zip",
    "statement_numbers": "the next numbers of statements; after a restore: --last EV-000123",
    "storage": "what the database keeps, how much it is, and for how long the disk is large enough",
    "replay_failed": "process messages again at which Levity itself failed",
    "test_alert": "send a test alert to all recipients",
    "prune": "delete old messages (serve does it every day)",
    "forget": "replace the id tag of a person who must be forgotten (--dry-run)",
    "retire": "remove charge points that are gone for good, or the demo's ten (--demo)",
    "certificate_authority": "the authority that signs chargers' certificates",
    "migrate": "update the database schema (serve does it when it starts)",
    "consume_rpc_queue": "run one worker of a larger installation",
    "deliver_events": "deliver events to webhooks and MQTT in a larger installation; see webhook",
    "bench": "measure this machine; soak tests under faults",
}
# Of every management command; --help leaves them out.
DJANGOS = (
    *("--version", "--verbosity", "--settings", "--pythonpath", "--traceback"),
    *("--no-color", "--force-color", "--skip-checks"),
)


class Utility(ManagementUtility):
    """Django's, with Levity's commands first, and where we have a better one than Django, ours."""

    def main_help_text(self, commands_only: bool = False) -> str:
        """All commands, a line each; Levity's in their order, the others by the alphabet."""
        if not commands_only:
            return _help()
        known = get_commands()
        return "\n".join(dict.fromkeys([*(n for n in COMMANDS if n in known), *sorted(known)]))

    def fetch_command(self, subcommand: str) -> BaseCommand:
        """The command of this name; says which there are, and ends, where there is none."""
        if subcommand == "changepassword":
            # Apps are ready only now.
            from levity.accounts.changepassword import Command

            return Command()
        return super().fetch_command(subcommand)


def main() -> None:
    """Run the management command that the command line names, with Levity's settings by default."""
    try:
        _run()
        sys.stdout.flush()
    except BrokenPipeError:
        if not _reader_is_gone():
            raise
        # `levity run_report ... | head` has all that it wants. A shell says 128 + SIGPIPE.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(141) from None


def _reader_is_gone() -> bool:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return True
    return False


def _run() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "levity.settings")
    words = sys.argv[1:]
    # Also behind a command, where Django would say its own.
    if "--version" in words or words == ["version"]:
        print(f"Levity {__version__}")
        return
    if words in ([], ["help"], ["--help"], ["-h"]):
        print(_help())
        return
    # Every command has Django's eight options, too; its own are hard to find among them.
    BaseCommand.suppressed_base_arguments = set(DJANGOS)
    try:
        # Of `python -m levity` Django would say that it is django.
        called = "levity" if sys.argv[0].endswith("__main__.py") else sys.argv[0]
        Utility([called, *words]).execute()
    except ImproperlyConfigured as error:
        # What is wrong stands in its text; where that was found says nothing to anybody.
        raise SystemExit(f"levity: {error}") from None
    except ModuleNotFoundError as error:
        chosen = os.environ["DJANGO_SETTINGS_MODULE"]
        if "--traceback" in words or error.name not in (chosen, chosen.partition(".")[0]):
            raise
        raise SystemExit(
            f"levity: DJANGO_SETTINGS_MODULE={chosen}: no such Python module. Unset it to use "
            "Levity's own settings, or start in the folder that contains yours "
            "(docs/extending.md)"
        ) from None
    except OperationalError as error:
        if "--traceback" in words:
            raise
        raise SystemExit(f"levity: {_about_the_database(error)}") from None


def _about_the_database(error: OperationalError) -> str:
    """What to do about it, in the words of whoever typed the command."""
    text = " ".join(str(error).split())
    if "no such table" in text or "does not exist" in text:
        return (
            f"the database is empty or older than this version ({text}): run “levity migrate”, or "
            "check DATABASE_URL and LEVITY_DATA_DIR"
        )
    return f"the database can't be used: {text}. Is it running, and is DATABASE_URL right?"


def _help() -> str:
    width = max(map(len, COMMANDS)) + 4
    lines = [f"Levity {__version__}. Usage: levity COMMAND [options]", ""]
    for name, about in COMMANDS.items():
        if name == "bench" and not find_spec("levity_lab"):
            continue
        lines += textwrap.wrap(f"  {name:{width - 2}}{about}", 100, subsequent_indent=" " * width)
    lines += [
        "",
        "`levity COMMAND --help` explains each; `levity help --commands` lists Django's as well.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
