"""`levity changepassword`: Django's command, which also helps if you don't know the user name."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.management.commands import changepassword
from django.core.management.base import CommandError

from levity.accounts.logins import known_logins

__all__ = ["Command"]


class Command(changepassword.Command):
    """Django's default is the name of this machine's user, which is often not a login here."""

    help = "Set a new password for a login; without a name, for the only one."

    def handle(self, *args: Any, **options: Any) -> Any:
        users = get_user_model().objects
        name = options["username"]
        if name is None:
            names = list(users.values_list("username", flat=True)[:2])
            if len(names) != 1:
                raise CommandError(f"name the login: changepassword NAME; {known_logins()}")
            options["username"] = names[0]
        elif not users.filter(username=name).exists():
            raise CommandError(f"no login {name!r}; {known_logins()}")
        return super().handle(*args, **options)
