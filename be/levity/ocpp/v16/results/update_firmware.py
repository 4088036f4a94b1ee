"""UpdateFirmware (OCPP 1.6, 5.19): the charger knows of the update; its answer has no content."""

from levity.ocpp.effects import Effect, FileAnswered
from levity.ocpp.request import Result
from levity.ocpp.rules.file_jobs import ACCEPTED
from levity.ocpp.v16.results.files import refused

__all__ = ["update_firmware"]


def update_firmware(result: Result) -> tuple[Effect, ...]:
    """What becomes of it, its status messages tell."""
    return refused(result) or (FileAnswered(result.command_id, ACCEPTED),)
