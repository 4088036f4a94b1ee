"""What the demo has to show of billing: a tariff with two bands, who bills, and the statements of
the last whole month, closed. Their files are made when somebody opens them, or in the background.
"""

import logging
from datetime import datetime, timedelta

from django.utils import timezone

from levity.billing.models import Issuer, TariffUse
from levity.billing.settling import settle_between
from levity.billing.statements.closing import close
from levity.billing.tariffs import add_tariff
from levity.days import month_before
from levity.ocpp.deciding import Refused
from levity.ocpp.models import Site
from levity.run.demo_history import DAYS, SITE

__all__ = ["PREFIX", "TARIFF", "make_bills"]

log = logging.getLogger(__name__)

TARIFF = "Demo tariff"
PREFIX = "DEMO-"
PRICES = {
    "vat_percent": "19",
    "tax_included": True,
    "energy": [
        {"price_per_kwh": "0.29", "from": "22:00", "to": "06:00", "name": "night"},
        {"price_per_kwh": "0.39", "name": "day"},
    ],
    "monthly_fee": {"price": "4.00"},
}


def make_bills(now: datetime) -> None:
    """Of the site that `levity.run.demo_history` has just made."""
    site = Site.objects.get(name=SITE)
    begins = now - timedelta(days=DAYS + 1)
    tariff = add_tariff(TARIFF, {**PRICES, "time_zone": site.time_zone}, begins, None, site)
    TariffUse.objects.create(tariff=tariff, site=site)
    issuer = Issuer.objects.create(
        site=site,
        name="Demo housing co-op",
        address="Example Street 1\n12345 Exampletown",
        payment_text="This is a demo: there is nothing to pay. Reference: {number}",
        prefix=PREFIX,
    )
    settle_between(begins, now)
    try:
        close(issuer, *month_before(timezone.localdate(now)), None)
    except Refused as error:
        # The demo runs all the same.
        log.warning("the demo has no statements: %s", error)
