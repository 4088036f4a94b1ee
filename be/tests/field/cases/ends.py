"""Start and stop against the samples, and what `correct_meter_values` makes of them."""

from tests.field.catalogue import case
from tests.field.charger import Ground, register
from tests.field.judge import corrections, sessions, wh

HOUR = 3600


@case("c14", "lbbrhzn/ocpp#1069")
def a_meter_that_runs_on_after_the_stop(ground: Ground) -> None:
    """Wallbox Copper SB: 4 Wh more after the stop; the next session counts from its own start."""
    charger = ground.charger("WBX-FIELD14")
    charger.boot("Wall Box Chargers", "CPB1", firmwareVersion="5.18.18")
    first = charger.start(2254988, ground.at(-HOUR))
    more = {"idTag": "FIELD1", "transactionData": [], "reason": "Local"}
    charger.stop(first, 2259988, ground.at(-HOUR / 2), **more)
    charger.meter(ground.at(-HOUR / 2 + 10), register("2259992.1"))
    second = charger.start(2259992, ground.at(-900))
    charger.meter(ground.at(-880), register("2259992.1"), transaction=second)
    charger.meter(ground.at(-300), register("2260992.1"), transaction=second)
    charger.stop(second, 2261992, ground.at())
    ended = sessions(charger)
    assert [(wh(item), item.confidence) for item in ended] == [(5000, "high"), (2000, "high")]
    assert ended[1].flags == ""
    assert corrections(ground, charger) == []
