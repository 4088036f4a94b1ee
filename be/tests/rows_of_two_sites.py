"""Rows of one site that refer to rows of another: a card that charges elsewhere, a household whose
session is at the other garage. Whatever is shown of the one, the other is not on it."""

from datetime import date

from django.contrib.auth.models import User
from django.db import IntegrityError, InternalError, models, transaction

from levity.billing.models import Assignment, Household
from levity.ocpp.models import ChargePoint, Site
from levity.ocpp.visibility import path_to_site
from tests.api.operations import rows_for_the_api

__all__ = ["OWN", "THEIRS", "mixed"]

OWN, THEIRS = "ownrow", "theirrow"
Rows = dict[type[models.Model], models.Model]

TOGETHER = {
    # The parts of a whole: what one of them is of, all are of.
    "MassCommand": "who sees one of its commands sees what was sent",
    "Transaction": "values and corrections are of one session, and of its charge point",
    "FileJob": "a file is of the job that asked for it",
    "Edge": "an edge serves all sites",
    # Names that stand on what is one's own.
    "CertificateAuthority": "its name is in the charger's certificate",
    "Tariff": "a tariff that holds here may be read here",
    "TariffVersion": "a tariff that holds here may be read here",
}
"""The targets that are not mixed, and why that is no leak."""
OF_ONE_THING = ("TariffUse",)
"""A site, or a household, or a card: never several as here."""


def mixed(*, ours_to_theirs: bool) -> tuple[Rows, Rows]:
    """A row of every kind here and there; every reference of the ones leads to the others.

    But for those by which a row is of its site.
    """
    ours, theirs = rows_for_the_api(OWN, 1), rows_for_the_api(THEIRS, 2)
    rows, others = (ours, theirs) if ours_to_theirs else (theirs, ours)
    count = 0
    for model, row in rows.items():
        if model.__name__ in OF_ONE_THING:
            continue
        stays = {"charge_point", "site", (path_to_site(model) or "").partition("__")[0]}
        for field in model._meta.get_fields():
            target = field.related_model
            if not isinstance(field, models.ForeignKey) or field.name in stays:
                continue
            if target not in others or target in (User, Site) or target.__name__ in TOGETHER:
                continue
            try:
                with transaction.atomic():
                    mine = model._default_manager.filter(pk=row.pk)
                    count += mine.update(**{field.name: others[target]})
            except (IntegrityError, InternalError):
                continue  # closed statements, and what is there once
    # A household of the one with a place at the other.
    Assignment.objects.create(
        household=rows[Household], charge_point=others[ChargePoint], first_day=date(2026, 1, 1)
    )
    if ours_to_theirs:
        for row in rows.values():
            for many in row._meta.many_to_many:
                if many.name == "charge_points":
                    getattr(row, many.name).add(others[many.related_model])
                    count += 1
    assert count > 10
    return ours, theirs
