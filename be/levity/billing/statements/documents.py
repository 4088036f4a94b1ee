"""All that a statement says, as JSON: its files are made of nothing else."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from levity.billing.models import Statement, StatementRun
from levity.billing.rules.statement import all_lines, bands_of
from levity.billing.statements.drafting import Draft
from levity.billing.stored_lines import stored
from levity.ocpp.wire.fields import zone_of

__all__ = ["document_of"]


def document_of(
    run: StatementRun,
    draft: Draft,
    label: str,
    facts: Mapping[tuple[int, int], Mapping[str, Any]],
    before: Statement | None,
) -> dict[str, Any]:
    """Of this draft, under its number; amounts and quantities are decimal strings."""
    issuer, household, sums = run.issuer, draft.household, draft.sums
    positions = [entry.position for entry in draft.entries]
    return {
        "number": label,
        "language": household.language,
        "issuer": {
            "name": issuer.name,
            "address": issuer.address,
            "tax_number": issuer.tax_number,
        },
        "household": {
            "name": household.name,
            "flat": household.flat,
            "parking": household.parking,
        },
        "first_day": run.first_day.isoformat(),
        "last_day": run.last_day.isoformat(),
        "time_zone": run.time_zone,
        "closed_on": timezone.localdate(run.closed_at, zone_of(run.time_zone)).isoformat(),
        "currency": draft.currency,
        "tax_included": draft.gross,
        "sessions": [
            {
                "session": entry.session,
                "sign": entry.position.sign,
                "wh": str(entry.position.signed_wh),
                "amount": str(entry.position.amount),
                **facts.get((entry.session, entry.position.sign), {}),
            }
            for entry in draft.entries
        ],
        "bands": [
            {
                "kind": band.kind,
                "name": band.name,
                "unit": band.unit,
                "price": str(band.price),
                "vat": str(band.vat),
                "quantity": str(band.quantity),
                "amount": str(band.amount),
            }
            for band in bands_of(all_lines(positions, ()))
        ],
        "fees": [
            {**line, "first_day": first.isoformat(), "last_day": last.isoformat()}
            for line, (first, last) in zip(stored(draft.fees), draft.fee_days, strict=True)
        ],
        "taxes": [
            {
                "vat": str(each.vat),
                "net": str(each.net),
                "tax": str(each.tax),
                "gross": str(each.gross),
            }
            for each in sums.by_rate
        ],
        "wh": str(draft.wh),
        "net": str(sums.net),
        "tax": str(sums.tax),
        "gross": str(sums.gross),
        "before": None
        if before is None
        else {
            "number": before.label,
            "first_day": before.run.first_day.isoformat(),
            "last_day": before.run.last_day.isoformat(),
            "wh": str(before.wh),
        },
        "payment_text": issuer.payment_text.replace("{number}", label),
    }
