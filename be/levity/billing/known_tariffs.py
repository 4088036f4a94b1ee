"""Which version of which tariff a session has: asked for many sessions at once."""

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from levity.billing.models import TariffUse, TariffVersion
from levity.billing.rules.choosing import Use, Uses
from levity.billing.rules.tariff import Tariff

__all__ = ["KnownTariffs"]


class KnownTariffs:
    """All uses, and when the versions of all tariffs begin: two statements, and one for what the
    versions say that are needed."""

    def __init__(self) -> None:
        rows = TariffUse.objects.order_by("pk").values_list(
            *("tariff_id", "site_id", "charge_point_id", "household_id", "id_tag"),
            *("first_day", "last_day"),
        )
        self._uses = Uses(Use(*row) for row in rows)
        self._versions: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
        versions = TariffVersion.objects.order_by("begins", "number")
        for tariff, begins, pk in versions.values_list("tariff_id", "begins", "pk"):
            self._versions[tariff].append((begins, pk))
        self._tariffs: dict[int, Tariff] = {}

    def use(self, day: date, **whose: Any) -> Use | None:
        """For whom which tariff is (`Uses.of`)."""
        return self._uses.of(day, **whose)

    def version(self, tariff: int, moment: datetime) -> int | None:
        """The key of the version that holds then; of two from one time the later; None: none."""
        versions = self._versions.get(tariff, [])
        at = bisect_right(versions, moment, key=lambda each: each[0])
        return versions[at - 1][1] if at else None

    def read(self, versions: Collection[int]) -> None:
        """Read what these versions say."""
        rows = TariffVersion.objects.filter(pk__in=set(versions) - set(self._tariffs))
        for pk, document in rows.values_list("pk", "document"):
            self._tariffs[pk] = _tariff(json.dumps(document))

    def tariff(self, version: int) -> Tariff:
        """What a version says that was read."""
        return self._tariffs[version]


@lru_cache(maxsize=64)
def _tariff(text: str) -> Tariff:
    # Pydantic is loaded when a document is read, not at the start of a program (ADR 37).
    from levity.billing.documents import TariffDocument

    return TariffDocument.model_validate_json(text).tariff()
