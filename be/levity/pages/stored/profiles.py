"""Charging profiles that chargers have, as far as is known."""

import json
from typing import Any

from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import display

from levity.ocpp.decisions.charging_profiles import clear_one, doubts_about
from levity.ocpp.models import InstalledProfile
from levity.pages.kit.formats import NOTHING, badge, shown_time, site_zone
from levity.pages.site import site
from levity.pages.stored.deciding import SOURCE, Button
from levity.pages.stored.rows import StoredAdmin

__all__ = ["InstalledProfileAdmin"]

State = InstalledProfile.State
PURPOSES = {
    "ChargePointMaxProfile": "the charger as a whole",
    "TxDefaultProfile": "every session",
    "TxProfile": "one session",
}


def _clear(row: InstalledProfile, who: Any) -> str:
    clear_one(row, who, source=SOURCE)
    return f"The charger is asked to drop profile {row.profile_id}."


@admin.register(InstalledProfile, site=site)
class InstalledProfileAdmin(StoredAdmin):
    """What limits a charger."""

    list_display = ("limit", "charger", "where", "purpose_shown", "level", "state_shown", "since")
    help_text = (
        "Limits that chargers have accepted. OCPP 1.6 has no way to ask for them: after a reboot, "
        "or if another system was connected, a charger may have others."
    )
    fields = (
        *("charger", "where", "purpose_shown", "profile_id", "stack_level", "kind", "recurrency"),
        *("limit", "valid", "session", "state_shown", "reason", "since", "ended", "sent_with"),
        "schedule_shown",
    )
    readonly_fields = fields
    buttons = {
        "clear": Button(
            "Clear this profile",
            "clear it",
            "The charger drops this profile, and the next lower limit counts: another profile or "
            "what its installer has set. The car may draw more at once.",
            _clear,
            is_dangerous=True,
        )
    }

    def buttons_for(self, row: InstalledProfile) -> tuple[str, ...]:
        """Only what is there can be cleared."""
        return ("clear",) if row.state == State.INSTALLED else ()

    def explained(self, row: InstalledProfile) -> str:
        """Why it is not sure that it is there."""
        if row.state != State.INSTALLED:
            return ""
        return doubts_about(row, row.charge_point, timezone.now())

    @display(description="connector")
    def where(self, row: InstalledProfile) -> str:
        """0 is the charger."""
        return str(row.connector) if row.connector else "the charger"

    @display(description="limits")
    def purpose_shown(self, row: InstalledProfile) -> str:
        """What it limits."""
        meant = PURPOSES.get(row.purpose, "")
        return format_html('{}<br><span class="lv-soft">{}</span>', meant, row.purpose)

    @display(description="limit")
    def limit(self, row: InstalledProfile) -> str:
        """The first step, with its unit, and how many more."""
        unit = row.schedule.get("chargingRateUnit", "")
        steps = row.schedule.get("chargingSchedulePeriod")
        if not isinstance(steps, list) or not steps or not isinstance(steps[0], dict):
            return NOTHING
        more = f" and {len(steps) - 1} more steps" if len(steps) > 1 else ""
        phases = steps[0].get("numberPhases")
        on = f", {phases} phases" if phases else ""
        return f"{steps[0].get('limit')} {unit}{on}{more}"

    @display(description="stack level")
    def level(self, row: InstalledProfile) -> str:
        """The highest one counts."""
        return str(row.stack_level)

    @display(description="state")
    def state_shown(self, row: InstalledProfile) -> str:
        """With a doubt, if there is one."""
        if row.state != State.INSTALLED:
            return badge(row.get_state_display().lower())
        if doubts_about(row, row.charge_point, timezone.now()):
            return format_html("{} not certain", badge("installed", "warn"))
        return badge("installed", "good")

    @display(description="accepted")
    def since(self, row: InstalledProfile) -> str:
        """When the charger accepted it."""
        return shown_time(row.installed_at, site_zone(row))

    @display(description="ended")
    def ended(self, row: InstalledProfile) -> str:
        """When it was replaced, cleared or over."""
        return shown_time(row.ended_at, site_zone(row))

    @display(description="valid")
    def valid(self, row: InstalledProfile) -> str:
        """From and to."""
        zone = site_zone(row)
        if row.valid_from is None and row.valid_to is None:
            return "always"
        first, last = shown_time(row.valid_from, zone), shown_time(row.valid_to, zone)
        return format_html("{} to {}", first, last)

    @display(description="schedule")
    def schedule_shown(self, row: InstalledProfile) -> str:
        """As it was sent."""
        text = json.dumps(row.schedule, indent=2)
        return format_html('<pre class="lv-json" tabindex="0">{}</pre>', text)
