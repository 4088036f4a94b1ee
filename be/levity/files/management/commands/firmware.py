"""`levity firmware add FILE --version 2.0`, `list`, and `send 3 CP1 CP2 ...`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from levity.files import campaigns, kept
from levity.files.jobs import Asking
from levity.files.models import Firmware
from levity.ocpp.deciding import Refused
from levity.ocpp.models import ChargePoint

__all__ = ["Command"]

PIECE = 1_000_000


class Command(BaseCommand):
    """The same functions as the pages."""

    help = "Upload a firmware, list what is there, or send one to chargers in waves."

    def add_arguments(self, parser: CommandParser) -> None:
        todo = parser.add_subparsers(dest="todo", required=True)
        add = todo.add_parser("add", help="upload a file")
        add.add_argument("file", type=Path)
        add.add_argument("--version", dest="firmware_version", required=True)
        add.add_argument("--vendor", default="")
        add.add_argument("--model", default="")
        add.add_argument("--note", default="")
        todo.add_parser("list", help="what is there")
        send = todo.add_parser("send", help="begin a campaign")
        send.add_argument("firmware", type=int, help="number of the firmware")
        send.add_argument("identities", nargs="+", metavar="CP")
        send.add_argument("--wave", type=int, default=5)
        send.add_argument("--pause", type=int, default=10, metavar="MIN")
        send.add_argument("--stop-after", type=int, default=1, metavar="FAILURES")
        send.add_argument("--also-charging", action="store_true", help="don't wait until idle")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['todo']}")(options)
        except Refused as refused:
            raise CommandError(refused.sentence) from refused

    def _add(self, options: dict[str, Any]) -> None:
        path: Path = options["file"]
        values = {name: options[name] for name in ("vendor", "model", "note")}
        values["version"] = options["firmware_version"]
        try:
            row = kept.add_firmware(_pieces(path), path.name, values, None)
        except OSError as error:
            raise CommandError(f"{path} can't be read: {error.strerror}") from error
        self.stdout.write(f"Firmware {row.pk}: {row.size:,} bytes, SHA-256 {row.sha256}")

    def _list(self, options: dict[str, Any]) -> None:
        rows = Firmware.objects.order_by("pk")
        if not rows:
            self.stdout.write("there is no firmware yet: levity firmware add FILE --version 2.0")
        for row in rows:
            self.stdout.write(f"{row.pk}  {row}  {row.name}  {row.size:,} bytes  {row.sha256}")

    def _send(self, options: dict[str, Any]) -> None:
        row = Firmware.objects.filter(pk=options["firmware"]).first()
        if row is None:
            raise CommandError("There is no such firmware: see `levity firmware list`")
        wanted = options["identities"]
        found = ChargePoint.objects.filter(identity__in=wanted)
        if missing := set(wanted) - set(found.values_list("identity", flat=True)):
            raise CommandError(f"There is no charge point {', '.join(sorted(missing))}")
        for doubt in campaigns.doubts(row, list(found)):
            self.stderr.write(doubt)
        plan = campaigns.Plan(
            wave_size=options["wave"],
            pause_minutes=options["pause"],
            stop_after=options["stop_after"],
            only_idle=not options["also_charging"],
        )
        campaign = campaigns.begin(row, found, None, plan, Asking())
        self.stdout.write(f"Campaign {campaign.pk} begins within seconds: {campaign}")


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
