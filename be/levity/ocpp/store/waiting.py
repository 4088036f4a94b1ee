"""How much is old enough to be packed, and is a row all the same."""

from datetime import datetime, timedelta

from levity.ocpp.conf import setting
from levity.ocpp.models import LegacySample, Message, MeterValue
from levity.ocpp.store.messages.moving import oldest_row_to_keep
from levity.ocpp.store.samples.legacy import is_empty
from levity.ocpp.store.samples.moving import over_before
from levity_ws.frozen import frozen

__all__ = ["Waiting", "waiting"]


@frozen
class Waiting:
    """So much waits to be packed."""

    exchanges: int
    meter_values: int
    samples: int
    """Of an earlier release, which had a row for each."""

    @property
    def rows(self) -> int:
        """All of it."""
        return self.exchanges + self.meter_values + self.samples


def waiting(now: datetime) -> Waiting:
    """Count it; with a million rows that takes part of a second."""
    exchanges = meter_values = samples = 0
    if days := setting("OCPP_MESSAGE_ROW_DAYS"):
        before = oldest_row_to_keep(now, days)
        exchanges = Message.objects.filter(received_at__lt=before).count()
    if days := setting("OCPP_METER_VALUE_ROW_DAYS"):
        over = over_before(now - timedelta(days=days))
        meter_values = MeterValue.objects.filter(over).count()
        samples = 0 if is_empty() else LegacySample.objects.filter(over).count()
    return Waiting(exchanges, meter_values, samples)
