"""What Levity's commands have in common: help that ends with examples, and files to read."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

__all__ = ["ExplainedCommand", "add_csv_file", "read_file"]


class ExplainedCommand(BaseCommand):
    """A command whose `--help` ends with `examples`, with their lines as written."""

    examples = ""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        # Not at the top: a command that starts in a tenth of a second loads no parser first.
        from argparse import RawDescriptionHelpFormatter

        kwargs.setdefault("epilog", self.examples)
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser


def add_csv_file(parser: CommandParser) -> None:
    """The arguments `file` and `--dry-run` of a command that imports CSV."""
    parser.add_argument("file", help='CSV as Excel saves it; "-" is standard input')
    parser.add_argument("--dry-run", action="store_true", help="only report what would be done")


def read_file(name: str) -> bytes:
    """What is in the file, or for "-" on standard input. Raises `CommandError`."""
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}") from error
