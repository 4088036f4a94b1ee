"""GetConfiguration (OCPP 1.6, 5.8): the charger has told its keys."""

from collections.abc import Mapping

from levity.ocpp.effects import Effect
from levity.ocpp.request import Result
from levity.ocpp.v16.results.keys import told_by

__all__ = ["get_configuration"]


def get_configuration(result: Result) -> tuple[Effect, ...]:
    """What is of use of its keys."""
    listed = result.payload.get("configurationKey") if isinstance(result.payload, Mapping) else None
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, Mapping) and (found := told_by(item.get("key"), item.get("value"))):
            return found
    return ()
