"""GetLocalListVersion (OCPP 1.6, 5.10): which version the charger's local list has."""

from collections.abc import Mapping

from levity.ocpp.effects import Effect, LocalListVersion
from levity.ocpp.request import Result
from levity.ocpp.v16.results.unsupported import is_unsupported
from levity.ocpp.wire.fields import decimal_of

__all__ = ["get_local_list_version"]


def get_local_list_version(result: Result) -> tuple[Effect, ...]:
    """-1 (5.10: local lists are not supported), 0 (it is empty), or its number."""
    said = result.payload.get("listVersion") if isinstance(result.payload, Mapping) else None
    number = decimal_of(said)
    version = None if number is None or not -1 <= number < 2**63 else int(number)
    is_supported = version != -1 and not is_unsupported(result)
    told = LocalListVersion(result.command_id, version, result.error_code[:64], is_supported)
    return (told,)
