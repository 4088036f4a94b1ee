"""`levity changepassword`: Django's, for whoever does not know the name of the login."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.management.commands import changepassword
from django.core.management.base import CommandError

from levity.accounts.logins import known_logins

__all__ = ["Command"]


class Command(changepassword.Command):
    """Django takes the name of the person at this machine, who has no login of that name here."""

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
