"""What a session was held against is kept as JSON and read back."""

import json

from levity.ocpp.rules.checks import AGREES, CONTRADICTS, POWER, START_STOP, Check, as_json, of_json

CHECKS = (
    Check(START_STOP, AGREES, "meterStop - meterStart is 12,000 Wh"),
    Check(POWER, CONTRADICTS, "power x time says 6,100 Wh"),
    Check("neighbours", "agrees"),
)


def test_checks_come_back_as_they_were_written() -> None:
    assert of_json(json.loads(json.dumps(as_json(CHECKS)))) == CHECKS


def test_what_is_no_check_is_left_out() -> None:
    assert of_json([["power", "agrees", ""], ["power"], 7, ["power", "agrees", 3]]) == (
        Check("power", "agrees"),
    )
    assert of_json(None) == of_json("power") == ()
