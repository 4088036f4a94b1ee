"""When something is to end, as people write it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from levity.ocpp.decisions.until import until_of

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("90m", 1.5),
        ("2H", 2),
        ("1d", 24),
        # 16:00 in Berlin is now.
        ("18:00", 2),
        ("16:00", 24),
        ("15:30", 23.5),
        ("2026-11-22T18:00", 2),
        ("2026-11-22 18:00", 2),
        ("2026-11-22t18:00z", 3),
    ],
)
def test_a_time_by_the_clock_of_the_site(text: str, hours: float) -> None:
    assert until_of(text, NOW, BERLIN) == NOW + timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "soon", "25:00", "h", "99999999h", "2026-13-01T00:00"])
def test_anything_else_says_what_can_be_written(text: str) -> None:
    with pytest.raises(ValueError, match="such as 18:00"):
        until_of(text, NOW, BERLIN)
