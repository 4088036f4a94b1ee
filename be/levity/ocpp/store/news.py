"""What others are told at once about commands: that one waits, and that one has ended."""

from collections.abc import Collection

from levity.db.notices import tell

__all__ = ["COMMANDS_ENDED", "COMMANDS_WAIT", "tell_of_ended", "tell_of_waiting"]

COMMANDS_WAIT, COMMANDS_ENDED = "levity_commands_wait", "levity_commands_ended"
MANY = 200


def tell_of_waiting() -> None:
    """Workers: a Call is due, look now."""
    tell(COMMANDS_WAIT)


def tell_of_ended(ids: Collection[int] = ()) -> None:
    """Whoever waits for one of these commands (none named: for any): look how it ended."""
    tell(COMMANDS_ENDED, ",".join(map(str, ids)) if len(ids) <= MANY else "")
