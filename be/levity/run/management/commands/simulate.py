"""`levity simulate`: play a fleet of charge points against any OCPP 1.6 central system."""

import argparse
import sys
from typing import Any

from django.core.management.base import CommandParser

from levity.explained import ExplainedCommand
from levity.simulator.cli import EXAMPLES, add_arguments, simulate

__all__ = ["Command"]


class Command(ExplainedCommand):
    """Needs neither the database nor a running Levity of its own."""

    help = "Simulate OCPP 1.6 charge points over real websockets."
    examples = EXAMPLES
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        code = simulate(argparse.Namespace(**options))
        if code:
            sys.exit(code)
