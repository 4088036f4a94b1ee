"""Chargers on the books."""

import pytest

from tests.ledger.chargers import Charger


@pytest.fixture
def charger(db: None) -> Charger:
    """A connected charge point, CP1."""
    return Charger()
