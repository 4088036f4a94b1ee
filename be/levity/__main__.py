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
    "serve": "everything a small site needs; with --demo ten make-believe chargers",
    "send_command": 'a command to a charger: send_command garage-1 Reset \'{"type":"Soft"}\'',
    "import_id_tags": "cards and fobs from a spreadsheet (CSV); export_id_tags writes one",
    "backup": "a copy of the database while Levity runs; restore is the way back",
    "changepassword": "a new password: changepassword admin; createsuperuser adds a login",
    "two_factor": "who logs in in two steps",
    "quirks": "which makes of chargers Levity knows",
    "simulate": "make-believe chargers",
    "export_messages": "a charger's conversation as a file; replay plays it again",
    "correct_meter_values": "find meter readings that can't be true, and correct them",
    "replay_failed": "take messages again at which Levity itself had failed",
    "test_alert": "do alerts reach anybody?",
    "prune": "delete old messages (serve does it every day)",
    "retire": "charge points that are gone for good, or the demo's ten (--demo)",
    "certificate_authority": "who signs the chargers' certificates",
    "migrate": "bring the database up to date (serve does it at its start)",
    "consume_rpc_queue": "one worker of a larger site",
    "bench": "how much this machine can carry; soak breaks everything on purpose",
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
            f"levity: DJANGO_SETTINGS_MODULE={chosen}: Python finds no such module. Unset it for "
            "Levity's own settings, or start in the folder that holds yours (docs/extending.md)"
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
            "check that DATABASE_URL and LEVITY_DATA_DIR are those of your Levity"
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
        "`levity COMMAND --help` explains each; `levity help --commands` names Django's, too.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
