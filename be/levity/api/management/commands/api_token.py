"""`manage.py api_token`: create, list and revoke the tokens of programs that use the API."""

from argparse import _SubParsersAction
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from levity.api.models import ApiToken, Scope
from levity.api.tokens import create_token, revoke_token
from levity.ocpp.models import Site

__all__ = ["Command"]

NAMED = 10


class Command(BaseCommand):
    """The token is printed last on one line, and only once."""

    help = "Create, list or revoke tokens for the REST API (/api/docs)."

    def add_arguments(self, parser: CommandParser) -> None:
        actions: _SubParsersAction[Any] = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="create a token and print it")
        create.add_argument("name", help="what uses it, such as “billing”")
        create.add_argument("--scope", choices=Scope.values, default=Scope.READ, help="[read]")
        create.add_argument(
            "--site", action="append", metavar="NAME", help="only this site; may be repeated"
        )
        create.add_argument("--expires", type=int, metavar="DAYS", help="[never]")
        actions.add_parser("list", help="list all tokens")
        revoke = actions.add_parser("revoke", help="make a token invalid")
        revoke.add_argument("token", help="its name, or the number or prefix that `list` prints")

    def handle(self, *args: Any, **options: Any) -> None:
        {"create": self._create, "list": self._list, "revoke": self._revoke}[options["action"]](
            options
        )

    def _create(self, options: dict[str, Any]) -> None:
        days = options["expires"]
        if days is not None and not 0 < days <= 36_500:
            raise CommandError("--expires: use a number of days, from 1 to 36500")
        name = options["name"].strip()
        if not 0 < len(name) <= 100:
            raise CommandError("the name must have 1 to 100 characters")
        row, token = create_token(
            name,
            options["scope"],
            None,
            sites=None if options["site"] is None else [_site(each) for each in options["site"]],
            expires_at=None if days is None else timezone.now() + timedelta(days=days),
        )
        self.stdout.write(f"created token {row.pk} ({row.name}, {row.scope}): {token}")

    def _list(self, options: dict[str, Any]) -> None:
        rows = list(ApiToken.objects.select_related("owner").prefetch_related("sites"))
        for row in rows:
            self.stdout.write(_line(row))
        if not rows:
            self.stdout.write("there is no token yet: levity api_token create NAME")

    def _revoke(self, options: dict[str, Any]) -> None:
        given = options["token"]
        rows = ApiToken.objects.filter(revoked_at__isnull=True)
        found = list(rows.filter(name=given) | rows.filter(prefix=given.removeprefix("levity_")))
        if not found and given.isascii() and given.isdigit() and len(given) < 19:
            found = list(rows.filter(pk=int(given)))
        if not found:
            raise CommandError(f"no valid token {given!r}; `levity api_token list` prints all")
        if len(found) > 1:
            numbers = ", ".join(str(row.pk) for row in found)
            raise CommandError(f"several tokens have this name: use one of the numbers {numbers}")
        revoke_token(found[0], None)
        self.stdout.write(f"revoked token {found[0].pk} ({found[0].name})")


def _site(name: str) -> Site:
    found = Site.objects.filter(name__iexact=name).first()
    if found is None:
        known = ", ".join(Site.objects.values_list("name", flat=True)[:NAMED]) or "none yet"
        raise CommandError(f"no site {name!r}; known: {known}")
    return found


def _line(row: ApiToken) -> str:
    state = row.why_invalid(timezone.now()) or "valid"
    sites = ", ".join(site.name for site in row.sites.all()) or "no site"
    used = f"{row.last_used_at:%Y-%m-%d %H:%M}Z" if row.last_used_at else "never"
    owner = row.owner.get_username() if row.owner else "command line"
    return (
        f"{row.pk}: {row.name} (levity_{row.prefix}_...), {row.scope}, "
        f"{sites if row.limited else 'all sites'}, by {owner}, last used {used}, {state}"
    )
