"""What billing has to do with a person who must be forgotten: closed statements name the id tag,
and can't be changed; what a household charges with gets the pseudonym."""

from typing import Any

from levity.billing.models import Assignment, SessionMark, StatementPosition, TariffUse
from levity.ocpp.models import Transaction

__all__ = ["forget_tag", "why_not"]

NAMED = 3


def why_not(*, id_tag: str, **_: Any) -> str:
    """For the signal `may_forget`: the closed statements that name it; empty: none does."""
    rows = StatementPosition.objects.filter(facts__id_tag__iexact=id_tag).order_by()
    labels = sorted(set(rows.values_list("statement__label", flat=True)))
    if not labels:
        return ""
    more = f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
    return (
        f"Closed statements name this id tag ({', '.join(labels[:NAMED])}{more}); they are never "
        "changed, and have to be kept as long as the law asks for."
    )


def forget_tag(*, id_tag: str, pseudonym: str, dry_run: bool, **_: Any) -> tuple[str, int]:
    """For the signal `forgotten`. The sessions, which have the pseudonym already, are priced anew:
    they are still the household's."""
    count = 0
    for model in (Assignment, TariffUse):
        rows = model.objects.filter(id_tag__iexact=id_tag)
        count += rows.count() if dry_run else rows.update(id_tag=pseudonym)
    if count and not dry_run:
        sessions = Transaction.objects.filter(id_tag=pseudonym).values_list("pk", flat=True)
        SessionMark.objects.bulk_create(
            (SessionMark(session=pk) for pk in sessions.iterator()), batch_size=1_000
        )
    return "cards of households and tariffs", count
