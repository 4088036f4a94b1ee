"""SEPA direct debits as pain.008.001.08, by sepaxml, which holds them against ISO 20022's schema.

Runs in a child process (levity.billing.accounting.child).
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sepaxml import SepaDD

__all__ = ["debit_of"]

SCHEMA = "pain.008.001.08"
RECURRENT = "RCUR"
"""Since the rulebook of 2016 also for the first of a series."""


def debit_of(request: Mapping[str, Any]) -> bytes:
    """All payments, collected on one day, in euros; amounts are in cents."""
    debit = SepaDD(
        {
            "name": request["name"],
            "IBAN": request["iban"],
            "batch": True,
            "creditor_id": request["creditor_id"],
            "currency": "EUR",
        },
        schema=SCHEMA,
        clean=True,
    )
    day = date.fromisoformat(request["collect_on"])
    for each in request["payments"]:
        debit.add_payment(
            {
                "name": each["name"],
                "IBAN": each["iban"],
                "amount": each["cents"],
                "type": RECURRENT,
                "collection_date": day,
                "mandate_id": each["mandate"],
                "mandate_date": date.fromisoformat(each["signed_on"]),
                "description": each["text"],
                "endtoend_id": each["number"],
            }
        )
    made: bytes = debit.export(validate=True)
    return made
