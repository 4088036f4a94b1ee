"""`levity charge_points`: set fields of many, as CSV out and in, and new hardware for old."""

from argparse import _SubParsersAction
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.db.models.functions import Lower
from django.utils import timezone

from levity.explained import ExplainedCommand, add_csv_file, read_file
from levity.ocpp.deciding import Refused
from levity.ocpp.decisions import charge_points_csv, replacing, together
from levity.ocpp.models import Authorization, ChargePoint, Site

__all__ = ["Command"]

EXAMPLES = f"""\
examples:
  charge_points set garage-1 garage-2 --site "Main Street" --authorization known
  charge_points set --of-site "Main Street" --time-zone Europe/Berlin
  charge_points export charge-points.csv
  charge_points import charge-points.csv --dry-run
  charge_points import charge-points.csv
  charge_points replace garage-7 garage-7b

`export` and `import` have the columns
  {", ".join(charge_points_csv.COLUMNS)}
and `export` more, which chargers report. Only identity is needed; a column that is not there stays
as it is, and an empty cell empties the field.

`replace`: the new charger takes over name, site, rules, id tags, local list, households,
reservations and charging profiles; the old one is retired with its history. With the same identity
twice, the old one is renamed.
"""
TEXTS = ("authorization", "time_zone", "quirk_profile")
NUMBERS = ("max_power", "heartbeat_interval", "ping_interval", "call_timeout")


class Command(ExplainedCommand):
    """All or nothing."""

    help = "Set fields of many charge points, write and read them as CSV, or replace one."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        actions: _SubParsersAction[Any] = parser.add_subparsers(dest="action", required=True)
        some = actions.add_parser("set", help="set fields of many")
        some.add_argument("identities", nargs="*", metavar="IDENTITY", help="such as garage-1")
        some.add_argument("--of-site", metavar="NAME", help="all of this site that are in use")
        some.add_argument("--site", metavar="NAME", help='move them to this site; "" for none')
        some.add_argument(
            "--authorization", choices=["", *Authorization.values], help='"" for the site\'s rule'
        )
        some.add_argument("--time-zone", metavar="ZONE", help="such as Europe/Berlin")
        some.add_argument(
            "--quirk-profile", metavar="NAME", help='`quirks` lists them; "" for none'
        )
        some.add_argument("--max-power", metavar="W", help='of one connector; "" for the default')
        for name, what in (
            ("--heartbeat-interval", "between heartbeats"),
            ("--ping-interval", "between websocket pings"),
            ("--call-timeout", "to wait for answers"),
        ):
            some.add_argument(name, metavar="SECONDS", help=f'{what}; "" for the default')
        out = actions.add_parser("export", help="write them as CSV")
        out.add_argument("file", nargs="?", help="[standard output]")
        taken = actions.add_parser("import", help="add and change them by CSV")
        add_csv_file(taken)
        place = actions.add_parser("replace", help="new hardware in the place of old")
        place.add_argument("old", metavar="OLD", help="identity of the old charge point")
        place.add_argument("new", metavar="NEW", help="identity of the new one")

    def handle(self, *args: Any, **options: Any) -> None:
        todo = {
            "set": self._set,
            "export": self._export,
            "import": self._import,
            "replace": self._replace,
        }
        try:
            todo[options["action"]](options)
        except Refused as error:
            raise CommandError(error.sentence) from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error

    def _set(self, options: dict[str, Any]) -> None:
        values: dict[str, Any] = {
            name: options[name] for name in TEXTS if options[name] is not None
        }
        for name in NUMBERS:
            if (text := options[name]) is not None:
                values[name] = _number(name, text)
        if options["site"] is not None:
            values["site"] = _site(options["site"]) if options["site"] else None
        decided = together.change_all(_rows(options), values, None)
        same = "".join(f"; {left.count} {left.why}" for left in decided.left)
        self.stdout.write(f"{decided.count} changed{same}")

    def _export(self, options: dict[str, Any]) -> None:
        lines = charge_points_csv.csv_lines(ChargePoint.objects.order_by(Lower("identity")))
        if not options["file"]:
            for line in lines:
                self.stdout.write(line, ending="")
            return
        try:
            with Path(options["file"]).open("w", encoding="utf-8", newline="") as file:
                file.writelines(lines)
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        self.stdout.write(f"{ChargePoint.objects.count()} charge points in {options['file']}")

    def _import(self, options: dict[str, Any]) -> None:
        try:
            text, note = charge_points_csv.text_of(read_file(options["file"]))
            if options["dry_run"]:
                read = charge_points_csv.read_charge_points(text, None)
            else:
                read = charge_points_csv.import_charge_points(text, None)
        except charge_points_csv.BadFile as error:
            raise CommandError(f"{options['file']}: {error}") from error
        for said in (*([note] if note else ()), *read.problems):
            self.stderr.write(said)
        if read.problems:
            raise CommandError("nothing was changed: correct the lines listed above")
        for line in read.lines if options["dry_run"] else ():
            what = "new" if line.is_new else "changed"
            self.stdout.write(f"{line.row.identity}: {what}; {line.text}".removesuffix("; "))
        would = "would be " if options["dry_run"] else ""
        self.stdout.write(
            f"{read.new} {would}new, {read.changed} {would}changed, {read.same} as before"
        )

    def _replace(self, options: dict[str, Any]) -> None:
        old = ChargePoint.objects.filter(identity__iexact=options["old"]).first()
        if old is None:
            raise CommandError(f"no charge point {options['old']}; nothing was changed")
        done = replacing.replace(old, options["new"], None, timezone.now())
        self.stdout.write(
            f"{done.new.identity} is in the place of {done.old.identity}, which is retired with "
            "its history"
        )
        for line in filter(None, (done.taken.sentence, *done.taken.left)):
            self.stdout.write(line)


def _rows(options: dict[str, Any]) -> Any:
    names, place = options["identities"], options["of_site"]
    if bool(names) == (place is not None):
        raise CommandError("name charge points, or a site with --of-site")
    if place is not None:
        return ChargePoint.objects.filter(site=_site(place), retired_at=None)
    wanted = {name.lower() for name in names}
    rows = ChargePoint.objects.annotate(key=Lower("identity")).filter(key__in=wanted)
    known = {row.key: row.pk for row in rows}
    if unknown := sorted(wanted - set(known)):
        raise CommandError(f"no charge point {', '.join(unknown)}; nothing was changed")
    return ChargePoint.objects.filter(pk__in=list(known.values()))


def _number(name: str, text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        raise CommandError(f"--{name.replace('_', '-')}: {text!r} is not a whole number")
    return int(text)


def _site(name: str) -> Site:
    found = Site.objects.filter(name__iexact=name).first()
    if found is None:
        known = ", ".join(Site.objects.values_list("name", flat=True)[:10]) or "none yet"
        raise CommandError(f"no site {name!r}; known: {known}")
    return found
