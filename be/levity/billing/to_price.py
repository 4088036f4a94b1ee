"""A session that is over, with what decides its price."""

from datetime import datetime
from decimal import Decimal

from levity.billing.rules.tariff import Tariff
from levity_ws.frozen import frozen

__all__ = ["ToPrice"]


@frozen
class ToPrice:
    """As it is read for pricing."""

    pk: int
    charge_point: int
    connector: int | None
    start: datetime
    end: datetime
    wh: Decimal
    meter_start: Decimal | None
    tariff: Tariff
