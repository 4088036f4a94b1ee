"""How the state of a command and the charger's answer are shown, wherever they are."""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext

from levity.ocpp.commands.plugged_in import NOT_NEEDED
from levity.ocpp.models import Command
from levity.ocpp.versions import DONE
from levity.pages.kit.formats import badge
from levity.pages.kit.live import EVERY, SOON

__all__ = ["DONE", "OPEN", "next_look", "state_badge"]

TONES = {
    Command.State.QUEUED: "busy",
    Command.State.SENT: "busy",
    Command.State.ANSWERED: "good",
    Command.State.CANCELLED: "plain",
}
OPEN = (Command.State.QUEUED, Command.State.SENT)
# Who has just asked looks every second; an hour's wait for a charger that is away is another one.
LOOKS = ((timedelta(seconds=30), SOON), (timedelta(minutes=3), 2.0), (timedelta(minutes=10), 5.0))


def state_badge(command: Command) -> str:
    """Where it is on its way."""
    if command.state == Command.State.ANSWERED and command.result_status not in DONE:
        # An answer, and a no: not green as if it had been done.
        return badge(gettext("answered, but not done"), "bad")
    if command.error_description.startswith(NOT_NEEDED):
        # Nobody has cancelled anything, and nothing is wrong.
        return badge(gettext("not needed"), "plain")
    if command.confirmed_by and command.result is None:
        return badge(gettext("done, without an answer"), "good")
    return badge(
        gettext(command.get_state_display()), TONES.get(Command.State(command.state), "bad")
    )


def next_look(command: Command) -> float:
    """Seconds until it is worth looking again; 0 once it has ended."""
    if command.state not in OPEN:
        return 0
    waits = timezone.now() - max(command.created_at, command.sent_at or command.created_at)
    return next((every for limit, every in LOOKS if waits < limit), EVERY)
