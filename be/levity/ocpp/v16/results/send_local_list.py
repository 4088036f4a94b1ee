"""SendLocalList (OCPP 1.6, 5.15): the charger has taken entries of its local list, or has not."""

from levity.ocpp.effects import Effect, LocalListAnswered
from levity.ocpp.request import Result
from levity.ocpp.v16.results.unsupported import is_unsupported

__all__ = ["send_local_list"]


def send_local_list(result: Result) -> tuple[Effect, ...]:
    """The version that its list has now, or why it keeps what it had (7.46)."""
    version = result.asked.get("listVersion")
    if type(version) is not int or abs(version) >= 2**63:
        return ()
    answered = LocalListAnswered(
        result.command_id,
        version,
        (result.status or result.error_code)[:64],
        is_accepted=result.status == "Accepted",
        is_supported=result.status != "NotSupported" and not is_unsupported(result),
        is_mismatch=result.status == "VersionMismatch",
    )
    return (answered,)
