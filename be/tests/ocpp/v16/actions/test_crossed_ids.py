"""Two connectors, two sessions, and each stop names the other one: only the meter tells them apart.

With a tag it is `test_meant.py`'s.
"""

from decimal import Decimal
from typing import Any

import pytest

from levity.ocpp.models import QuarantinedMessage
from tests.ocpp.ledger_chargers import Charger, at, books, meter_value

pytestmark = pytest.mark.django_db


class Pair:
    """A charger of two connectors, whose meters are far apart, with a session on each."""

    def __init__(self, off: float = 0, tag: str = "tag", samples: int = 2) -> None:
        self.charger, self.off = Charger(), off
        self.first = self.charger.started(at(off), 100_000, when=at(0), connectorId=1)
        self.second = self.charger.started(
            at(off + 1), 400_000, when=at(1), connectorId=2, idTag=tag
        )
        for number in range(1, samples + 1):
            for connector, wh in ((1, 100_000 + 1000 * number), (2, 400_000 + 500 * number)):
                named = self.first if connector == 1 else self.second
                when = 10 * number
                value = meter_value(at(off + when), wh)
                self.charger.meter(named, value, when=at(when), connectorId=connector)

    def stop(self, named: int, minute: float, wh: float, **more: Any) -> None:
        """StopTransaction."""
        self.charger.stop(named, at(self.off + minute), wh, when=at(minute), **more)


@pytest.mark.parametrize("off", [0, 120, -120])
@pytest.mark.parametrize("told", [{}, {"idTag": "tag"}])
@pytest.mark.parametrize("samples", [2, 0])
@pytest.mark.parametrize("is_first", [True, False])
def test_crossed_ids_without_a_tag_are_put_right_by_the_meter(
    off: float, told: dict[str, str], samples: int, *, is_first: bool
) -> None:
    """Or with one tag for both; the first got the second's 392 kWh, whatever the clock says."""
    pair = Pair(off, samples=samples)
    stops = [(pair.first, 401_500), (pair.second, 102_500)]
    for named, wh in stops if is_first else reversed(stops):
        pair.stop(named, 25, wh, **told)
    for session, wh in ((pair.first, 2500), (pair.second, 1500)):
        state, energy, flags = books(session, "state", "energy", "flags")
        assert (state, energy) == ("stopped", Decimal(wh))
        assert "id-of-another" in flags.split()
    assert QuarantinedMessage.objects.count() == 0


def test_crossed_ids_of_samples_that_count_each_session_are_put_right_by_the_connector() -> None:
    """Each of them goes on where the connector's own session was, and the stops with them."""
    charger = Charger()
    first = charger.started(at(0), 100_000)
    for minute, wh in ((10, 3000), (20, 6000)):
        charger.meter(first, meter_value(at(minute), wh), when=at(minute))
    second = charger.started(at(21), 400_000, connectorId=2)
    for minute, ours, theirs in ((25, 7500, 200), (30, 9000, 500)):
        charger.meter(first, meter_value(at(minute), theirs), connectorId=2, when=at(minute))
        charger.meter(second, meter_value(at(minute), ours), when=at(minute))
    charger.stop(second, at(40), 112_000)
    charger.stop(first, at(40), 401_100)
    assert books(first, "state", "energy") == ("stopped", Decimal(12_000))
    assert books(second, "state", "energy") == ("stopped", Decimal(1100))


def test_ids_that_the_meter_allows_are_believed() -> None:
    """Nothing is crossed."""
    pair = Pair()
    pair.stop(pair.first, 25, 102_500)
    pair.stop(pair.second, 25, 401_500)
    assert books(pair.first, "energy", "flags") == (Decimal(2500), "")
    assert books(pair.second, "energy", "flags") == (Decimal(1500), "")


@pytest.mark.parametrize("wh", [0, 300, 90_000_000, 395_000])
def test_a_meter_that_is_nobodys_leaves_the_id_its_session(wh: float) -> None:
    """Begun anew, wild, or below the other one's."""
    pair = Pair()
    pair.stop(pair.first, 25, wh)
    assert books(pair.first, "state") == "stopped"
    assert books(pair.second, "state") == "active"


def test_a_second_stop_of_a_session_that_is_over_does_not_end_the_next_one() -> None:
    """Told again with some Wh more, while the other connector's new meter is near."""
    pair = Pair()
    pair.stop(pair.first, 25, 102_500)
    third = pair.charger.started(at(26), 102_300, connectorId=3)
    pair.stop(pair.first, 27, 102_550)
    assert books(third, "state") == "active"
    assert books(pair.second, "state") == "active"
    assert QuarantinedMessage.objects.count() == 1


def test_a_stop_from_before_the_others_newest_sample_is_not_its_end() -> None:
    """Delivered late: the second has shown more since."""
    pair = Pair(samples=6)
    pair.charger.stop(pair.first, at(30), 401_500, when=at(61))
    assert books(pair.second, "state") == "active"


def test_samples_with_crossed_ids_go_to_the_connector_they_were_taken_on() -> None:
    """Each is named by the other one's id, and both got the other one's register."""
    pair = Pair()
    for minute in (30, 40):
        pair.charger.meter(
            pair.second, meter_value(at(minute), 100_000 + 100 * minute), when=at(minute)
        )
        pair.charger.meter(
            pair.first,
            meter_value(at(minute), 400_000 + 50 * minute),
            when=at(minute),
            connectorId=2,
        )
    assert books(pair.first, "energy", "flags") == (Decimal(4000), "")
    assert books(pair.second, "energy", "flags") == (Decimal(2000), "")


def test_a_sample_of_another_connectors_number_stays_with_the_session_it_names() -> None:
    """Where no other register leads to it: connectors are counted from 0 by some."""
    pair = Pair()
    pair.charger.meter(pair.first, meter_value(at(30), 103_000), when=at(30), connectorId=2)
    pair.charger.meter(pair.second, meter_value(at(30), 402_000), when=at(30), connectorId=7)
    assert books(pair.first, "energy") == Decimal(3000)
    assert books(pair.second, "energy") == Decimal(2000)


def test_crossed_ids_after_the_clock_was_set_back() -> None:
    """Two hours ahead while they charged, and right when they stopped."""
    pair = Pair(off=120)
    pair.off = 0
    pair.stop(pair.first, 25, 401_500)
    pair.stop(pair.second, 25, 102_500)
    for session, wh in ((pair.first, 2500), (pair.second, 1500)):
        assert books(session, "state", "energy") == ("stopped", Decimal(wh))


@pytest.mark.parametrize("off", [0, 120, -120])
@pytest.mark.parametrize("order", [1, -1])
def test_two_stops_for_none_go_to_the_sessions_whose_registers_they_tell(
    off: float, order: int
) -> None:
    """-1 twice, and no tag: from the starts each could be both, from the samples only one."""
    charger = Charger()
    sessions = [
        charger.started(at(off), 100_000, when=at(0), connectorId=1),
        charger.started(at(off + 1), 102_000, when=at(1), connectorId=2),
    ]
    for number, (session, wh) in enumerate(zip(sessions, (100_500, 103_500), strict=True)):
        value = meter_value(at(off + 24), wh)
        charger.meter(session, value, when=at(24), connectorId=number + 1)
    for wh in [100_700, 103_700][::order]:
        charger.stop(-1, at(off + 25), wh, when=at(25))
    for session, wh in zip(sessions, (700, 1700), strict=True):
        assert books(session, "state", "energy") == ("stopped", Decimal(wh))
    assert QuarantinedMessage.objects.count() == 0
