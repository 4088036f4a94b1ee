"""SignedUpdateFirmware (OCPP 1.6 security whitepaper, 5.18): the charger takes the order, or says
what is wrong with the certificate."""

from levity.ocpp.effects import Effect, FileAnswered
from levity.ocpp.request import Result
from levity.ocpp.rules.file_jobs import ACCEPTED
from levity.ocpp.v16.results.files import is_accepted, refused

__all__ = ["signed_update_firmware"]


def signed_update_firmware(result: Result) -> tuple[Effect, ...]:
    """AcceptedCanceled: it has given up an earlier update for this one."""
    return refused(result) or (
        FileAnswered(result.command_id, ACCEPTED, ends_others=not is_accepted(result)),
    )
