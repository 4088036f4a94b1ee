"""Which rows a person may see: all, or those of the sites they are limited to.

A user may have an `account` with `limited` and `sites` (from levity.accounts); without it they see
everything. Every list, page, choice and export asks here. A model that knows no way to a site shows
nothing to somebody who is limited.
"""

from typing import Any

from django.db.models import Model, Q, QuerySet

from levity.ocpp.models import ChargePoint, Command, IdTag, MassCommand, MeterValueCorrection, Site

__all__ = ["OfOneSite", "has_sites", "is_limited", "may_see", "path_to_site", "visible"]

OF_CHARGE_POINT = "charge_point__site"
PATHS: dict[type[Model], str] = {
    Site: "pk",
    ChargePoint: "site",
    MeterValueCorrection: "transaction__charge_point__site",
    # A tag that may be used everywhere is not one site's to see.
    IdTag: "charge_points__site",
    MassCommand: "commands__charge_point__site",
}


class OfOneSite:
    """Who sees all of one site, and nothing of others: a receiver of mails about it."""

    is_superuser = False
    limited = True

    def __init__(self, site: Site) -> None:
        self.sites = Site.objects.filter(pk=site.pk)

    @property
    def account(self) -> "OfOneSite":
        """As that of a person."""
        return self

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """All that there is to see."""
        return True


def is_limited(user: Any) -> bool:
    """True for somebody who does not see every site."""
    account = getattr(user, "account", None)
    # (Another project's users may have an account of another kind.)
    return bool(getattr(account, "limited", False) and not user.is_superuser)


def visible(rows: QuerySet[Any], user: Any) -> QuerySet[Any]:
    """Those of these rows that this person may see."""
    if not is_limited(user):
        return rows
    path = path_to_site(rows.model)
    if path is None:
        return rows.none()
    sites = user.account.sites.values("pk")
    if path == OF_CHARGE_POINT and "site" in _columns_of(rows.model):
        # About the site as a whole, or a charger that was deleted.
        as_a_whole = Q(charge_point__isnull=True, site__in=sites)
        return rows.filter(Q(**{f"{path}__in": sites}) | as_a_whole)
    if rows.model is IdTag:
        # A tag for several charge points is still one row.
        return rows.filter(pk__in=IdTag.objects.filter(**{f"{path}__in": sites}).values("pk"))
    if rows.model is MassCommand:
        mine = Command.objects.filter(mass__isnull=False, charge_point__site__in=sites)
        return rows.filter(pk__in=mine.values("mass"))
    return rows.filter(**{f"{path}__in": sites})


def may_see(row: Model, user: Any) -> bool:
    """Whether this row is one of them."""
    if not is_limited(user):
        return True
    if row.pk is None:
        return False
    rows: QuerySet[Any] = type(row)._meta.default_manager.filter(pk=row.pk)  # type: ignore[union-attr]
    return visible(rows, user).exists()


def has_sites(model: type[Model]) -> bool:
    """Whether rows of this model belong to sites: people who are limited may see some."""
    return path_to_site(model) is not None


def path_to_site(model: type[Model]) -> str | None:
    """The lookup that leads from a row of this model to its site; None: there is none."""
    # A model of another app says so by itself: `site_path`.
    if path := PATHS.get(model) or getattr(model, "site_path", None):
        return str(path)
    return OF_CHARGE_POINT if "charge_point" in _columns_of(model) else None


def _columns_of(model: type[Model]) -> set[str]:
    return {field.name for field in model._meta.get_fields() if field.concrete}
