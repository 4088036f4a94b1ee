"""The command `levity` (also `python -m levity`): Django's management commands, ours included."""

import os
import sys
import textwrap

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

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


def main() -> None:
    """Run the management command that the command line names, with Levity's settings by default."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "levity.settings")
    words = sys.argv[1:]
    if words == ["--version"] or words == ["version"]:
        print(f"Levity {__version__}")
        return
    if words in ([], ["help"], ["--help"], ["-h"]):
        print(_help())
        return
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # What is wrong stands in its text; where that was found says nothing to anybody.
        raise SystemExit(f"levity: {error}") from None


def _help() -> str:
    width = max(map(len, COMMANDS)) + 4
    lines = [f"Levity {__version__}. Usage: levity COMMAND [options]", ""]
    for name, about in COMMANDS.items():
        lines += textwrap.wrap(f"  {name:{width - 2}}{about}", 100, subsequent_indent=" " * width)
    lines += [
        "",
        "`levity COMMAND --help` explains each; `levity help --commands` names Django's, too.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
