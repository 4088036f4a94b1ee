"""`levity simulate`: play a fleet of charge points against any OCPP 1.6 central system."""

import argparse
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from levity.simulator.cli import EXAMPLES, add_arguments, simulate

__all__ = ["Command"]


class Command(BaseCommand):
    """Needs neither the database nor a running Levity of its own."""

    help = "Simulate OCPP 1.6 charge points over real websockets."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.epilog = EXAMPLES
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        code = simulate(argparse.Namespace(**options))
        if code:
            sys.exit(code)
