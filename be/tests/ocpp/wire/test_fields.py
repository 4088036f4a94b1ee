"""Times as chargers write them: the same moment in many spellings."""

from datetime import UTC, datetime

import pytest

from levity.ocpp.wire.fields import time_of

MOMENT = datetime(2026, 3, 1, 8, 5, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T08:05:09Z",
        "2026-03-01T08:05:09z",  # RFC 3339, 5.6
        "2026-03-01t08:05:09z",
        "2026-03-01T08:05:09.000z",
        "2026-03-01T10:05:09+02",  # monta-app/ocpp-emulator#5
        "2026-03-01T10:05:09+0200",
        "2026-03-01T08:05:09+0000",
        "2026-03-01T18:05:09+10:00",
        "2026-03-01T02:35:09-05:30",
        "2026-03-01 08:05:09Z",
        "2026-03-01 08:05:09 Z",
        "2026-03-01T08:05:09 +00:00",
        " 2026-03-01T08:05:09Z ",
        "2026-3-1T8:5:9Z",
        "2026-03-01T08:05:09:000Z",
        "20260301T080509Z",
        "2026-03-01T08:05:09",
        "2026-03-01T08:05:09.000",
        "2026-03-01T08:05:09.000000000Z",
    ],
)
def test_the_same_moment_in_many_spellings(text: str) -> None:
    assert time_of(text) == MOMENT


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "T",
            "Z",
            "z",
            ":",
            "-",
            "now",
            "2026",
            "2026-03-01TT08:05:09Z",
            "2026-13-01T08:05:09Z",
        ),
        *(
            "2026-03-01T25:05:09Z",
            "2026-03-01T08:05:09ZZ",
            "08:05:09Z",
            "222222017-01-01T00:00:00Z",
        ),
        *("2026-03-01T08:05:09:1:1Z", "1-2-3", "2026-03-01T08:05:09+99:99", "٢٠٢٦-03-01T08:05:09Z"),
    ],
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert time_of(text) is None
