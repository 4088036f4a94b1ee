"""Which issuer a command on the command line is about."""

from django.core.management.base import CommandError, CommandParser

from levity.billing.models import Issuer

__all__ = ["add_issuer_option", "issuer_named"]


def add_issuer_option(parser: CommandParser) -> None:
    """`--issuer`."""
    parser.add_argument("--issuer", help="who bills, by name; needed if there are several")


def issuer_named(name: str | None) -> Issuer:
    """The only one, or that of this name; `CommandError` that says what to do."""
    rows = Issuer.objects.select_related("site").order_by("pk")
    found = list(rows.filter(name=name) if name else rows)
    if not found:
        hint = "nobody of that name bills" if name else "say who bills first"
        raise CommandError(f"{hint}: on the page Statements, “Who bills”")
    if len(found) > 1:
        raise CommandError(f"several bill; choose one with --issuer: {', '.join(map(str, found))}")
    return found[0]
