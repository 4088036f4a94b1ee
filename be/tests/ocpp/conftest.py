"""Chargers on the books."""

import pytest

from tests.ocpp.keyed_lines import line, now
from tests.ocpp.ledger_chargers import Charger

__all__ = ["charger", "line", "now"]


@pytest.fixture
def charger(db: None) -> Charger:
    """A connected charge point, CP1."""
    return Charger()
