"""`manage.py two_factor`: who uses it, and the way back in after a phone is lost."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from levity.accounts import second_step
from levity.accounts.logins import known_logins

__all__ = ["Command"]


class Command(BaseCommand):
    """No login is needed: anyone who may run commands on this machine can read its database as
    well."""

    help = (
        "List who uses two-factor authentication. With --off: switch it off for one person, "
        "because the phone and the recovery codes are lost."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", nargs="?", help="only this person; default: all staff")
        parser.add_argument("--off", action="store_true", help="switch it off for this person")

    def handle(self, *args: Any, **options: Any) -> None:
        users = get_user_model().objects
        name = options["username"]
        if name is None:
            if options["off"]:
                raise CommandError("name the login: two_factor USERNAME --off")
            staff = users.filter(is_staff=True, is_active=True).order_by("pk")
            for each in staff:
                self.stdout.write(self._state(each))
            if not staff:
                self.stdout.write("there is no login yet: createsuperuser adds one")
            return
        user = users.filter(username=name).first()
        if user is None:
            raise CommandError(f"no login {name!r}; {known_logins()}")
        if not options["off"]:
            self.stdout.write(self._state(user))
        elif second_step.switch_off(user):
            self.stdout.write(f"{name}: two-factor login is off; the password is enough again")
        else:
            self.stdout.write(f"{name}: two-factor login was not on")

    def _state(self, user: Any) -> str:
        if not second_step.is_on(user):
            return f"{user.get_username()}: password only"
        left = second_step.codes_left(user)
        return f"{user.get_username()}: two-factor, {left} recovery codes left"
