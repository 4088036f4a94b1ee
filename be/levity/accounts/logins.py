"""The existing logins, for messages about a wrong name in a command."""

from django.contrib.auth import get_user_model

__all__ = ["known_logins"]

NAMED = 10


def known_logins() -> str:
    """“logins are: admin, anna and 3 more”; or how to add the first one."""
    names = get_user_model().objects.order_by("pk").values_list("username", flat=True)
    if not (some := list(names[: NAMED + 1])):
        return "there is no login yet: createsuperuser adds one"
    more = f" and {names.count() - NAMED} more" if len(some) > NAMED else ""
    return f"logins are: {', '.join(some[:NAMED])}{more}"
