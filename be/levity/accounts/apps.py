"""How Django knows this app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

__all__ = ["AccountsConfig"]


class AccountsConfig(AppConfig):
    """The app `accounts`; it comes after all others in INSTALLED_APPS."""

    name = "levity.accounts"
    label = "accounts"
    verbose_name = "People"
    default_auto_field = "django.db.models.BigAutoField"

    levity_navigation = (
        (
            "People",
            (
                ("Users", "person", "auth.user"),
                ("Groups", "group", "auth.group"),
                ("Logins", "login", "axes.accesslog"),
                ("Locked logins", "lock", "axes.accessattempt"),
            ),
        ),
    )

    def ready(self) -> None:
        """Register the roles and the receivers of login signals."""
        from levity.accounts import lockout, retention  # noqa: F401  (they connect to signals)
        from levity.accounts.roles import keep_roles

        post_migrate.connect(keep_roles, sender=self)
