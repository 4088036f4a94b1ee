"""`levity export_messages`: what a charger and Levity said to each other, as JSON Lines."""

import os
import sys
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from levity.ocpp.conversation.export import export
from levity.ocpp.models import ChargePoint
from levity.ocpp.wire.masking import Anonymiser

__all__ = ["Command"]


class Command(BaseCommand):
    """Streams: a million frames take no more memory than a thousand."""

    help = (
        "Write the conversation of a charge point as JSON Lines, one frame or connection event "
        "per line, in the order of transmission (docs/chargers.md). Passwords and keys are "
        "masked."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("charge_point", help="its identity: the last part of its URL")
        parser.add_argument("--since", type=_moment, metavar="TIME", help="2026-01-31[T12:00[Z]]")
        parser.add_argument("--until", type=_moment, metavar="TIME", help="before this time")
        parser.add_argument(
            "--connection", type=UUID, metavar="UUID", help="only this websocket connection"
        )
        parser.add_argument(
            "--anonymise",
            action="store_true",
            help="replace identity, serial numbers, id tags, SIM cards and addresses",
        )
        parser.add_argument("--output", type=Path, metavar="FILE", help="[standard output]")

    def handle(self, *args: Any, **options: Any) -> None:
        identity = options["charge_point"]
        charge_point = ChargePoint.objects.filter(identity__iexact=identity).first()
        if charge_point is None:
            known = ChargePoint.objects.order_by("identity").values_list("identity", flat=True)
            names = ", ".join(known[:10]) or "none yet"
            raise CommandError(f"no charge point {identity!r}; known: {names}")
        lines = export(
            charge_point,
            since=options["since"],
            until=options["until"],
            connection=options["connection"],
            anonymiser=Anonymiser() if options["anonymise"] else None,
        )
        if options["output"] is None:
            try:
                for line in lines:
                    self.stdout.write(line, ending="")
            except BrokenPipeError:  # `| head` has seen enough
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return
        try:
            with options["output"].open("w", encoding="ascii") as file:
                count = sum(1 for line in lines if file.write(line))
        except OSError as error:
            raise CommandError(f"{options['output']}: {error.strerror}") from error
        print(f"{count} lines written to {options['output']}", file=sys.stderr)


def _moment(text: str) -> datetime:
    """A date or a time; without a zone it is the server's."""
    read = parse_datetime(text)
    if read is None:
        day = parse_date(text)
        if day is None:
            raise ValueError(text)
        read = datetime.combine(day, time.min)
    return (timezone.make_aware(read) if timezone.is_naive(read) else read).astimezone(UTC)
