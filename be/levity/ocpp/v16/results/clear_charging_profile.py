"""ClearChargingProfile (OCPP 1.6, 5.3): the charger has dropped limits."""

from levity.ocpp.effects import ChargingProfilesCleared, Effect
from levity.ocpp.request import Result

__all__ = ["clear_charging_profile"]


def clear_charging_profile(result: Result) -> tuple[Effect, ...]:
    """All that fit what was asked for are gone; `Unknown`: it had none of them."""
    if result.status not in ("Accepted", "Unknown"):
        return ()
    asked = result.asked
    purpose = asked.get("chargingProfilePurpose")
    return (
        ChargingProfilesCleared(
            profile_id=_whole(asked.get("id")),
            connector=_whole(asked.get("connectorId")),
            purpose=purpose if isinstance(purpose, str) else None,
            stack_level=_whole(asked.get("stackLevel")),
            said=result.status,
        ),
    )


def _whole(value: object) -> int | None:
    return value if type(value) is int else None
