"""Where something is at a charger of OCPP 1.6, which knows connectors and no EVSE."""

from levity.ocpp.request import Place

__all__ = ["at_connector"]


def at_connector(number: int) -> Place:
    """The place of this connector; 0 is the charger as a whole."""
    return 0, number
