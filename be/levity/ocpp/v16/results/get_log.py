"""GetLog (OCPP 1.6 security whitepaper, 5.7): the charger is going to upload a log, or is not."""

from levity.ocpp.effects import Effect, FileAnswered
from levity.ocpp.request import Result
from levity.ocpp.rules.file_jobs import ACCEPTED
from levity.ocpp.v16.results.files import file_name_in, is_accepted, refused

__all__ = ["get_log"]


def get_log(result: Result) -> tuple[Effect, ...]:
    """AcceptedCanceled: it has given up an earlier upload for this one."""
    if not_done := refused(result):
        return not_done
    name = file_name_in(result, "filename")
    return (FileAnswered(result.command_id, ACCEPTED, name, ends_others=not is_accepted(result)),)
