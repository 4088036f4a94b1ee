"""`levity webhook`: list, add, change, rotate, test, replay and remove webhooks of events."""

from argparse import _SubParsersAction
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from levity.explained import ExplainedCommand
from levity.integrations import webhooks
from levity.integrations.models import Delivery, Webhook
from levity.integrations.webhooks import Wishes
from levity.ocpp.deciding import Refused
from levity.ocpp.events import TYPES
from levity.ocpp.models import Site
from levity.posting import shown_host

__all__ = ["Command"]

EXAMPLES = """\
examples:
  webhook add billing https://billing.example.org/hook --type session.ended --type session.corrected
  webhook add garage https://example.org/hook --site "Main Street" --tags
  webhook list
  webhook test billing
  webhook off billing
  webhook on billing
  webhook rotate billing
  webhook replay billing --since 2026-11-29 --until 2026-11-30T12:00
  webhook replay billing --given-up
  webhook remove billing

`add` and `rotate` print the secret last on their line, once. After `rotate`, the old secret signs
as well for a day. Times without a zone are of the server's (TIME_ZONE). docs/events.md has the
types and how to verify the signature.
"""
EACH = 50


class Command(ExplainedCommand):
    """What the pages and the API do, by the same functions."""

    help = "Manage the webhooks that events are sent to (docs/events.md)."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        actions: _SubParsersAction[Any] = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="list all webhooks and how they are")
        add = actions.add_parser("add", help="add a webhook and print its secret")
        add.add_argument("name", help="what it is for, such as “billing”")
        add.add_argument("url", help="https://…")
        add.add_argument(
            "--type", action="append", metavar="TYPE", help="only such events; may be repeated"
        )
        add.add_argument(
            "--site", action="append", metavar="NAME", help="only of this site; may be repeated"
        )
        add.add_argument("--tags", action="store_true", help="events name id tags")
        for name, what in (
            ("on", "switch it on: it gets events from now on"),
            ("off", "switch it off"),
            ("rotate", "make a new secret and print it"),
            ("test", "send an event that means nothing"),
            ("remove", "delete it, with the log of its deliveries"),
        ):
            actions.add_parser(name, help=what).add_argument("name")
        again = actions.add_parser("replay", help="send events again, with the same ids")
        again.add_argument("name")
        again.add_argument("--since", metavar="TIME", help="such as 2026-11-29 or 2026-11-29T12:00")
        again.add_argument("--until", metavar="TIME", help="[now]")
        again.add_argument("--given-up", action="store_true", help="those that were given up")

    def handle(self, *args: Any, **options: Any) -> None:
        todo = {
            "list": self._list,
            "add": self._add,
            "on": self._switch,
            "off": self._switch,
            "rotate": self._rotate,
            "test": self._test,
            "replay": self._replay,
            "remove": self._remove,
        }
        try:
            todo[options["action"]](options)
        except Refused as error:
            raise CommandError(error.sentence) from error

    def _list(self, options: dict[str, Any]) -> None:
        rows = list(Webhook.objects.prefetch_related("sites"))
        for row in rows:
            self.stdout.write(_line(row))
        if not rows:
            self.stdout.write("there is no webhook yet: levity webhook add NAME URL")

    def _add(self, options: dict[str, Any]) -> None:
        wishes = Wishes(
            options["name"].strip(),
            options["url"],
            types=tuple(options["type"] or ()),
            sites=tuple(_site(name) for name in options["site"] or ()),
            may_see_tags=options["tags"],
        )
        if unknown := sorted(set(wishes.types) - set(TYPES)):
            raise CommandError(f"no event type {unknown[0]!r}; there are {', '.join(TYPES)}")
        row, secret = webhooks.create(wishes, None)
        self.stdout.write(f"added webhook {row.name} to {shown_host(row.url)}; secret: {secret}")

    def _switch(self, options: dict[str, Any]) -> None:
        row, is_on = _webhook(options["name"]), options["action"] == "on"
        wishes = Wishes(
            row.name, row.url, is_on, tuple(row.types), tuple(row.sites.all()), row.may_see_tags
        )
        webhooks.change(row, wishes, None)
        self.stdout.write(f"{row.name} is {options['action']}")

    def _rotate(self, options: dict[str, Any]) -> None:
        row = _webhook(options["name"])
        secret = webhooks.rotate(row, None)
        self.stdout.write(f"{row.name}: the old secret signs for another day; new secret: {secret}")

    def _test(self, options: dict[str, Any]) -> None:
        row = _webhook(options["name"])
        if why := webhooks.test(row, None):
            raise CommandError(f"{row.name}: {why}")
        self.stdout.write(f"{row.name}: {shown_host(row.url)} has taken the test")

    def _replay(self, options: dict[str, Any]) -> None:
        row = _webhook(options["name"])
        if options["given_up"] == (options["since"] is not None):
            raise CommandError("say what to replay: --since TIME, or --given-up")
        if options["given_up"]:
            dead = Delivery.objects.filter(webhook=row, state=Delivery.State.DEAD)
            count = webhooks.replay(dead, None)
        else:
            now = timezone.now()
            until = _moment(options["until"]) if options["until"] else now + timedelta(seconds=1)
            count = webhooks.replay_range(row, _moment(options["since"]), until, None)
        self.stdout.write(f"{row.name}: {count} events are sent again")

    def _remove(self, options: dict[str, Any]) -> None:
        row = _webhook(options["name"])
        webhooks.remove(row, None)
        self.stdout.write(f"removed {row.name}")


def _webhook(name: str) -> Webhook:
    found = Webhook.objects.filter(name=name).first()
    if found is None:
        known = ", ".join(Webhook.objects.values_list("name", flat=True)[:EACH]) or "none yet"
        raise CommandError(f"no webhook {name!r}; known: {known}")
    return found


def _site(name: str) -> Site:
    found = Site.objects.filter(name__iexact=name).first()
    if found is None:
        known = ", ".join(Site.objects.values_list("name", flat=True)[:EACH]) or "none yet"
        raise CommandError(f"no site {name!r}; known: {known}")
    return found


def _moment(text: str) -> datetime:
    try:
        found = parse_datetime(text)
        day = parse_date(text) if found is None else None
    except ValueError:
        found = day = None
    if found is None and day is not None:
        found = datetime(day.year, day.month, day.day)  # noqa: DTZ001  # made aware below
    if found is None:
        raise CommandError(f"{text!r} is not a time such as 2026-11-29 or 2026-11-29T12:00")
    return found if timezone.is_aware(found) else timezone.make_aware(found)


def _line(row: Webhook) -> str:
    state = "on" if row.enabled else "off"
    about = ", ".join(row.types) or "all events"
    sites = ", ".join(site.name for site in row.sites.all()) or "all sites"
    tags = ", with id tags" if row.may_see_tags else ""
    sent = f"{row.sent_at:%Y-%m-%d %H:%M}Z" if row.sent_at else "never"
    error = f"; {row.error}" if row.error else ""
    where = shown_host(row.url)
    return f"{row.name}: {state}, {where}, {about}, {sites}{tags}; last taken {sent}{error}"
