"""What is asked for twice with one key is done once: requests of programs, forms of people."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import transaction

from levity.ocpp.models import RequestKey
from levity_ws.frozen import frozen

__all__ = ["KEPT", "Asked", "asked_once", "forget_request_keys"]

KEPT = timedelta(days=7)
"""Nobody repeats a request later than that."""


@frozen
class Asked:
    """A request with its key; with `is_new`, what it asks for is still to be done."""

    row: RequestKey
    is_new: bool

    def has_made(self, object_id: int) -> None:
        """Note which row came of it."""
        self.row.object_id = object_id
        self.row.save(update_fields=["object_id"])

    def has_led_to(self, location: str, said: Sequence[tuple[int, str]]) -> None:
        """Note to which page it led, and what was said there: level, text."""
        self.row.location, self.row.said = location, list(said)
        self.row.save(update_fields=["location", "said"])

    def has_done_nothing(self) -> None:
        """It may come again."""
        self.row.delete()


@contextmanager
def asked_once(key: str, fingerprint: str) -> Iterator[Asked]:
    """Inside, do what is asked for if it is new, and note what came of it.

    One transaction: of two at once, the second waits for the first; where the first fails, nothing
    is kept, and the second is the new one. Whether a key that is known is the same request, the
    caller sees by the fingerprint of the row.
    """
    with transaction.atomic():
        row, is_new = RequestKey.objects.get_or_create(
            key=key, defaults={"fingerprint": fingerprint}
        )
        yield Asked(row, is_new)


def forget_request_keys(now: datetime) -> None:
    """Delete those that are too old to be repeated."""
    RequestKey.objects.filter(created_at__lt=now - KEPT).delete()
