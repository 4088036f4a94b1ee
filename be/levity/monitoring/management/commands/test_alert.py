"""`manage.py test_alert`: send a test alert to all recipients"""

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from levity.monitoring.alerts.delivery import send_test
from levity.monitoring.alerts.recipients import routes

__all__ = ["Command"]


class Command(BaseCommand):
    """Sends immediately, and reports the result."""

    help = (
        "Send a test alert to all recipients in LEVITY_ALERT_EMAIL, LEVITY_ALERT_WEBHOOK and the "
        "alert rules. Exits with 1 if any of them can't be reached."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rule", help="only this rule; `environment` stands for the variables")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = routes(os.environ)
        except ValueError as error:
            raise CommandError(str(error)) from error
        names = [route.name for route in found]
        if options["rule"] is not None:
            found = [route for route in found if route.name == options["rule"]]
            if not found:
                known = ", ".join(names) or "none"
                raise CommandError(
                    f"no active alert rule is called {options['rule']!r}; there are: {known}"
                )
        targets = sum(1 for route in found for _ in route.targets())
        if not targets:
            raise CommandError(
                "no alert recipients yet: set LEVITY_ALERT_EMAIL (with EMAIL_URL) or "
                "LEVITY_ALERT_WEBHOOK, or add an alert rule on the web pages"
            )
        failed = 0
        for route in found:
            for channel, target, why in send_test(route):
                failed += bool(why)
                self.stdout.write(f"{route.name}: {channel} to {target}: {why or 'sent'}")
        if failed:
            raise CommandError(f"{failed} of {targets} could not be sent")
