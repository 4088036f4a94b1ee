"""Which closed run a command on the command line is about."""

from django.core.management.base import CommandError

from levity.billing.models import StatementRun

__all__ = ["run_named"]


def run_named(name: str) -> StatementRun:
    """By its month, its first day or its number; `CommandError` that says which there are."""
    rows = StatementRun.objects.select_related("issuer__site")
    if name.isdecimal() and len(name) < 18:
        found = list(rows.filter(pk=int(name)))
    else:
        found = [row for row in rows if row.first_day.isoformat() in (name, f"{name}-01")]
    if not found:
        known = ", ".join(f"{row.pk} ({row})" for row in rows[:5]) or "none"
        raise CommandError(f"no closed run {name!r}; there are: {known}")
    if len(found) > 1:
        several = ", ".join(f"{row.pk} ({row.issuer})" for row in found)
        raise CommandError(f"several issuers have closed it; give the number: {several}")
    return found[0]
