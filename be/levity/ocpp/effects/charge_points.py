"""Charge points: what they say of themselves, their files, and the Calls that they are sent."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any

from levity_ws.frozen import frozen

__all__ = [
    "ASK_FOR_BOOT",
    "AUTOMATIC",
    "LEARNED_INTERVAL",
    "ConnectorStatus",
    "FileAnswered",
    "FileAsked",
    "FileReported",
    "FirmwareChanged",
    "LookAgain",
    "NoteSecurityEvent",
    "ResetConnectors",
    "SendCall",
    "UpdateChargePoint",
]


ASK_FOR_BOOT = "AskForBoot"
"""The `source` of the one Call that a charger with `boot_first` is sent before its boot."""


AUTOMATIC = "AutoRemoteStart"
"""The `source` of a start that nobody asked for: whoever means to charge goes before it."""


LEARNED_INTERVAL = "LearnedInterval"
"""The `source` of the Call that tells a charger the interval that was learned about its line."""


@frozen
class UpdateChargePoint:
    """The charge point said something of itself; keys are fields of `ChargePoint`."""

    values: Mapping[str, Any]


@frozen
class ResetConnectors:
    """The charger booted: what its connectors said before no longer counts."""


@frozen
class ConnectorStatus:
    """A connector changed, or repeated, its status."""

    connector: int
    status: str
    error_code: str = ""
    info: str = ""
    vendor_id: str = ""
    vendor_error_code: str = ""
    reported_at: datetime | None = None
    """The charger's clock; None if it didn't say."""
    evse: int = 0

    @property
    def place(self) -> tuple[int, int]:
        """(EVSE, connector)."""
        return self.evse, self.connector


@frozen
class SendCall:
    """Queue a Call to this charge point.

    `delay` from now on; `expires_after` counts from the delay's end. With `only_while` it is
    sent only while that connector has that status, has had it since `only_since`, and is held for
    nobody else; with `this_connection` only on the websocket on which the request came. A second
    one with the same `key` is ignored for ever.
    """

    action: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    delay: timedelta = timedelta()
    expires_after: timedelta | None = None
    only_while: tuple[int, str] | None = None
    only_since: datetime | None = None
    this_connection: bool = False
    key: str = ""
    source: str = ""


@frozen
class LookAgain:
    """Whoever was waited for at this charge point is served: starts that were put off may go."""


@frozen
class FileAsked:
    """A Call of ours makes the charger upload or fetch a file. No effect: it is read off the Call
    when that is sent."""

    kind: str
    """See `rules.file_jobs`."""
    request_id: int | None
    """By which the charger's messages name it; None where the version has no such number."""
    location: str


@frozen
class FileAnswered:
    """The charger has answered the Call that asks for a file job."""

    command_id: int
    state: str
    """Of the job, see `rules.file_jobs`; empty: the answer says nothing."""
    file_name: str = ""
    """As the charger calls the file that it uploads."""
    detail: str = ""
    """Why not, in the charger's words."""
    ends_others: bool = False
    """It has given up an earlier one of the same kind for this one."""


@frozen
class FileReported:
    """The charger says how a file job goes."""

    kinds: tuple[str, ...]
    """It is about a job of one of these kinds, the likeliest first."""
    status: str
    """In OCPP's spelling."""
    state: str
    """What that makes of the job, see `rules.file_jobs`; empty: nothing."""
    request_id: int | None = None


@frozen
class FirmwareChanged:
    """The charger boots with another firmware than before: an update that ran has succeeded."""

    before: str
    after: str


@frozen
class NoteSecurityEvent:
    """Something that may be an attack."""

    type: str
    detail: str = ""
    at: datetime | None = None
