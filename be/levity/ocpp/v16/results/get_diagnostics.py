"""GetDiagnostics (OCPP 1.6, 5.9): the charger is going to upload, or has nothing to upload."""

from levity.ocpp.effects import Effect, FileAnswered
from levity.ocpp.request import Result
from levity.ocpp.rules.file_jobs import ACCEPTED, NOTHING
from levity.ocpp.v16.results.files import file_name_in, refused

__all__ = ["get_diagnostics"]


def get_diagnostics(result: Result) -> tuple[Effect, ...]:
    """The name of the file that comes. 5.9: without a name there are no diagnostics."""
    if not_done := refused(result):
        return not_done
    name = file_name_in(result, "fileName")
    return (FileAnswered(result.command_id, ACCEPTED if name else NOTHING, name),)
