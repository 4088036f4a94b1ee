"""Close a period: its statements are numbered and written, and never change again."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext_noop

from levity.billing.models import (
    Issuer,
    SessionPrice,
    Statement,
    StatementPosition,
    StatementRun,
)
from levity.billing.settling import settle_between, settle_marked
from levity.billing.statements.balancing import as_json, balance_of
from levity.billing.statements.documents import document_of
from levity.billing.statements.drafting import Draft, draft_all, fingerprint, with_facts
from levity.billing.statements.numbers import label, must_confirm, remember
from levity.billing.statements.periods import RunPeriod, period
from levity.billing.stored_lines import stored
from levity.ocpp.audit import Who, note
from levity.ocpp.deciding import NotPossible, check

__all__ = ["CLOSE", "close", "prepare"]

CLOSE = "billing.add_statementrun"
PORTION = 500
CHANGED = gettext_noop("something has changed since you looked: look at it again")
ASK = gettext_noop(
    "the database was restored on %(restored)s: say first which number was posted last, on the "
    "page where statements are closed, or by `levity statement_numbers --last NUMBER`"
)
LATER = timedelta(days=62)
"""After a correction: to the end of its month, and of a session that began in it."""


def prepare(issuer: Issuer, first: date, last: date) -> tuple[RunPeriod, list[Draft]]:
    """Price what ended in the period once more (and what is on statements and has changed), and
    draft the statements. Raises `NotPossible`."""
    found = _settled(issuer, first, last)
    return found, draft_all(found)


def _settled(issuer: Issuer, first: date, last: date) -> RunPeriod:
    found = period(issuer, first, last)
    while settle_marked():
        pass
    settle_between(found.since, found.until)
    _settle_corrected_months(issuer)
    return found


def _settle_corrected_months(issuer: Issuer) -> None:
    """A correction in a closed month with tiers moves the sessions after it in that month."""
    changed = SessionPrice.objects.filter(
        ~Q(digest=F("position__digest")), position__statement__run__issuer=issuer
    ).order_by("started_at")
    first = changed.values_list("started_at", flat=True).first()
    if first is not None:
        settle_between(first, min(first + LATER, timezone.now()))


def close(
    issuer: Issuer,
    first: date,
    last: date,
    who: Who,
    *,
    expected: str = "",
    house: tuple[Decimal | None, Decimal | None] = (None, None),
) -> StatementRun:
    """All statements of the period, or none. `expected`: the fingerprint of those that this person
    has looked at; `house`: the house meter at both ends, kWh.

    Raises `NotPossible` if they would say something else now, or there are none.
    """
    check(issuer, who, CLOSE)
    if any(reading is not None and reading < 0 for reading in house):
        raise NotPossible(gettext_noop("a reading of the house meter is below zero"))
    if None not in house and house[1] < house[0]:  # type: ignore[operator]  # neither is None
        raise NotPossible(gettext_noop("the house meter's last reading is below its first"))
    _settled(issuer, first, last)
    with transaction.atomic():
        # One run at a time, of any issuer: a household that has just come to another has its fee
        # once. The issuer's row also counts the numbers.
        rows = Issuer.objects.select_for_update(no_key=True).order_by("pk")
        issuer = {row.pk: row for row in rows}[issuer.pk]
        if restored := must_confirm(issuer):
            raise NotPossible(ASK, restored=f"{timezone.localtime(restored):%Y-%m-%d %H:%M}")
        found = period(issuer, first, last)
        drafts = draft_all(found)
        if not drafts:
            raise NotPossible(gettext_noop("there is nothing to bill in that period"))
        if expected and expected != fingerprint(drafts):
            raise NotPossible(CHANGED)
        _check_numbers(issuer, len(drafts))
        _lock(drafts)
        run = StatementRun.objects.create(
            issuer=issuer,
            first_day=first,
            last_day=last,
            time_zone=str(found.zone),
            closed_by="" if who is None else who.get_username()[:150],
            balance=as_json(balance_of(found)),
            house_from=house[0],
            house_to=house[1],
        )
        _write(run, found, drafts)
        note(who, [run], "closed", {}, {"statements": len(drafts)})
        following = issuer.next_number + len(drafts)
        transaction.on_commit(lambda: remember(issuer, following))
    return run


def _lock(drafts: Sequence[Draft]) -> None:
    """The prices that these are made of, which nobody changes or takes away before they are on
    their statements. Raises `NotPossible` if somebody just has."""
    drafted = {entry.session: entry.digest for draft in drafts for entry in draft.entries}
    keys = sorted(drafted)
    found: dict[int, str] = {}
    for at in range(0, len(keys), PORTION):
        rows = SessionPrice.objects.select_for_update(of=("self",), no_key=True)
        # In the order in which `settle` locks them.
        locked = rows.filter(pk__in=keys[at : at + PORTION]).order_by("pk")
        found.update(locked.values_list("pk", "digest"))
    if found != drafted:
        raise NotPossible(CHANGED)


def _check_numbers(issuer: Issuer, count: int) -> None:
    """No statement has one of the next numbers: an issuer may have had this prefix before."""
    labels = [label(issuer, issuer.next_number + at) for at in range(count)]
    for at in range(0, count, PORTION):
        rows = Statement.objects.filter(label__in=labels[at : at + PORTION])
        taken = rows.values_list("label", flat=True).first()
        if taken is not None:
            raise NotPossible(
                gettext_noop(
                    "there is a statement %(number)s already, from when numbers of another issuer "
                    "began so: give this issuer another prefix"
                ),
                number=taken,
            )


def _write(
    run: StatementRun,
    found: RunPeriod,
    drafts: Sequence[Draft],
) -> None:
    issuer = run.issuer
    facts = with_facts((entry for draft in drafts for entry in draft.entries), found)
    before = _before(run, drafts)
    rows = []
    for number, draft in enumerate(drafts, issuer.next_number):
        printed = label(issuer, number)
        sums = draft.sums
        document = document_of(run, draft, printed, facts, before.get(draft.household.pk))
        rows.append(
            Statement(
                run=run,
                household=draft.household,
                label=printed,
                currency=draft.currency,
                wh=draft.wh,
                net=sums.net,
                tax=sums.tax,
                gross=sums.gross,
                document=document,
            )
        )
    Issuer.objects.filter(pk=issuer.pk).update(next_number=issuer.next_number + len(drafts))
    statements = Statement.objects.bulk_create(rows, batch_size=PORTION)
    StatementPosition.objects.bulk_create(
        [
            StatementPosition(
                statement=statement,
                session=entry.session,
                sign=entry.position.sign,
                version_id=entry.version,
                wh=entry.position.wh,
                lines=stored(entry.position.lines),
                digest=entry.digest,
                facts=facts.get((entry.session, entry.position.sign), {}),
            )
            for statement, draft in zip(statements, drafts, strict=True)
            for entry in draft.entries
        ],
        batch_size=PORTION,
    )
    # Of a session that is taken back and billed anew, the new position is what stands.
    mine = StatementPosition.objects.filter(statement__run=run)
    newest = mine.filter(session=OuterRef("pk")).order_by("-sign").values("pk")[:1]
    SessionPrice.objects.filter(pk__in=mine.values("session")).update(position=Subquery(newest))


def _before(run: StatementRun, drafts: Sequence[Draft]) -> dict[int, Statement]:
    """The statement of each household for the last period before this one."""
    found: dict[int, Statement] = {}
    rows = Statement.objects.filter(
        household__in={draft.household.pk for draft in drafts}, run__last_day__lt=run.first_day
    )
    in_order = rows.order_by("run__last_day", "pk")
    for row in in_order.select_related("run").defer("document"):
        found[row.household_id] = row
    return found
