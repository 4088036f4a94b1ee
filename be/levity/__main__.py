"""The command `levity` (also `python -m levity`): Django's management commands, ours included."""

import os
import sys

from django.core.management import execute_from_command_line

__all__ = ["main"]


def main() -> None:
    """Run the management command that the command line names, with Levity's settings by default."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "levity.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
