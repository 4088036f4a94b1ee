"""What a person decides about the price of a session, with a trail in the session's history."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from levity.billing.models import Household, SessionPrice
from levity.billing.rules.treatment import BILL, DECISIONS
from levity.billing.settling import figures_of, session_of, settle
from levity.ocpp.audit import Who, note
from levity.ocpp.deciding import NotPossible, check
from levity.ocpp.visibility import may_see

__all__ = ["CHANGE", "decide", "take_back"]

CHANGE = "billing.change_sessionprice"


def decide(
    row: SessionPrice, what: str, who: Who, *, household: Household | None = None, why: str = ""
) -> SessionPrice:
    """Bill it (to this household, if one is given), let nobody pay, or do not bill it.

    The decision is about the session as it is now: if its figures change, it lapses.
    """
    check(row, who, CHANGE)
    if what not in DECISIONS:
        raise NotPossible(gettext_noop("choose what becomes of the session"))
    if what != BILL and not why.strip():
        raise NotPossible(gettext_noop("say why nobody is to pay for it"))
    if household is not None and who is not None and not may_see(household, who):
        raise NotPossible(gettext_noop("there is no such household at your sites"))
    with transaction.atomic():
        locked = SessionPrice.objects.select_for_update(no_key=True).get(pk=row.pk)
        session = session_of(row.pk)
        before = _said(locked)
        locked.decision, locked.decided_household = what, household
        locked.decided_figures = figures_of(session.energy, session.flags, session.confidence)
        locked.decided_note = why.strip()[:200]
        _save(locked, who)
        note(who, [session], f"billing: {DECISIONS[what]}", before, _said(locked))
        settle([row.pk])
    return SessionPrice.objects.get(pk=row.pk)


def take_back(row: SessionPrice, who: Who) -> SessionPrice | None:
    """Let the rules decide again."""
    check(row, who, CHANGE)
    with transaction.atomic():
        locked = SessionPrice.objects.select_for_update(no_key=True).get(pk=row.pk)
        before = _said(locked)
        locked.decision, locked.decided_household = "", None
        locked.decided_figures = locked.decided_note = ""
        _save(locked, who)
        note(who, [session_of(row.pk)], "billing: decision taken back", before, _said(locked))
        settle([row.pk])
    return SessionPrice.objects.filter(pk=row.pk).first()


def _said(row: SessionPrice) -> dict[str, object]:
    return {
        "decision": row.decision,
        "household": row.decided_household_id,
        "why": row.decided_note,
    }


def _save(row: SessionPrice, who: Who) -> None:
    row.decided_at = timezone.now()
    row.decided_by = "" if who is None else who.get_username()[:150]
    row.save(
        update_fields=[
            *("decision", "decided_household", "decided_figures", "decided_note"),
            *("decided_at", "decided_by"),
        ]
    )
