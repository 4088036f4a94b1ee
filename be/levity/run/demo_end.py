"""The end of the demo: what it has made beside its charge points is taken out of the way of a site
that goes on in the same database. Closed statements stay, as all closed statements do, and what
they name stays with them.
"""

from collections.abc import Iterator

from django.apps import apps
from django.db import transaction
from django.utils import timezone

from levity.ocpp.audit import note
from levity.ocpp.models import DEMO, IdTag, Site

__all__ = ["take_out"]


def take_out() -> Iterator[str]:
    """What was done, in lines."""
    if not apps.is_installed("levity.billing"):
        return
    from levity.run.demo_history import CARDS, RESIDENTS, SITE, tag_of

    site = Site.objects.filter(name=SITE).first()
    if site is None:
        return
    with transaction.atomic():
        yield from _billing(site)
        owners = [name for name, _ in RESIDENTS]
        cards = IdTag.objects.filter(
            id_tag__in=[tag_of(card) for card in range(CARDS)], owner__in=owners
        )
        note(None, cards, "deleted: the demo was retired")
        count, _ = cards.delete()
        if count:
            yield f"the demo's {CARDS} cards are deleted: nobody can charge with them"


def _billing(site: Site) -> Iterator[str]:
    from levity.billing.models import (
        Assignment,
        Household,
        Issuer,
        SessionPrice,
        Statement,
        Tariff,
        TariffUse,
        TariffVersion,
    )
    from levity.run.demo_bills import PREFIX, TARIFF
    from levity.run.demo_history import RESIDENTS

    homes = Household.objects.filter(site=site, name__in=[name for name, _ in RESIDENTS])
    prices = SessionPrice.objects.filter(
        transaction__charge_point__identity__in=DEMO, position__isnull=True
    )
    prices.delete()
    Assignment.objects.filter(household__in=homes).delete()
    TariffUse.objects.filter(tariff__name=TARIFF).delete()
    kept = homes.filter(statements__isnull=False).distinct()
    gone = homes.filter(statements__isnull=True)
    note(None, gone, "deleted: the demo was retired")
    deleted = gone.count()
    gone.delete()
    issuers = Issuer.objects.filter(site=site, prefix=PREFIX)
    billed = Statement.objects.filter(run__issuer__in=issuers).count()
    if not billed:
        issuers.filter(runs__isnull=True).delete()
        versions = TariffVersion.objects.filter(tariff__name=TARIFF)
        if not SessionPrice.objects.filter(version__in=versions).exists():
            versions.delete()
            Tariff.objects.filter(name=TARIFF).delete()
    if deleted:
        yield f"{deleted} households of the demo are deleted"
    if not billed:
        return
    day = timezone.localdate()
    fresh = kept.exclude(flat__startswith="Demo")
    note(None, fresh, "the demo was retired")
    for home in fresh:
        home.flat = f"Demo: {home.flat}"[:100]
        home.notes = f"Of the demo, which was retired on {day}."
    Household.objects.bulk_update(fresh, ["flat", "notes"])
    yield (
        f"{billed} closed statements of the demo stay, because closed statements are never "
        f"deleted, and so do the {kept.count()} households, the tariff and the issuer that they "
        "name. The tariff is for nobody any more. To have none of it, begin with an empty data "
        "folder or database"
    )
