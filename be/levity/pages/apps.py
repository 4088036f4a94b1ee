"""How Django knows this app."""

from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_noop

from levity.installation import needs

__all__ = ["PagesConfig"]


class PagesConfig(AppConfig):
    """The app `levity_pages`: templates, files and admin pages; it has no tables."""

    name = "levity.pages"
    label = "levity_pages"
    verbose_name = "Pages"
    # What the admin site is made of; a project that wants another login derives from it.
    site_class = "levity.pages.site.PagesSite"

    levity_navigation = (
        (
            gettext_noop("Charging"),
            (
                (gettext_noop("Charge points"), "ev_station", "ocpp.chargepoint"),
                (gettext_noop("Sites"), "home_work", "ocpp.site"),
                (gettext_noop("Transactions"), "receipt_long", "ocpp.transaction"),
                (gettext_noop("Reservations"), "event_seat", "ocpp.reservation"),
                (gettext_noop("Id tags"), "badge", "ocpp.idtag"),
            ),
        ),
        (
            gettext_noop("Maintenance"),
            (
                (gettext_noop("Commands"), "send", "ocpp.command"),
                (gettext_noop("Mass commands"), "checklist", "ocpp.masscommand"),
                (gettext_noop("Configuration"), "tune", "ocpp.configurationkey"),
                (
                    gettext_noop("Configuration templates"),
                    "rule_settings",
                    "ocpp.configurationtemplate",
                ),
                (gettext_noop("Charging profiles"), "show_chart", "ocpp.installedprofile"),
                (gettext_noop("Local lists"), "list_alt_check", "ocpp.locallist"),
            ),
        ),
        (
            gettext_noop("Trouble"),
            (
                (gettext_noop("Onboarding doctor"), "stethoscope", "ocpp.refusedhandshake"),
                (gettext_noop("Quarantine"), "inventory_2", "ocpp.quarantinedmessage"),
                (gettext_noop("Unassigned energy"), "electric_meter", "ocpp.unassignedenergy"),
                (gettext_noop("Failed messages"), "error", "ocpp.failedmessage"),
                (gettext_noop("Security events"), "shield", "ocpp.securityevent"),
            ),
        ),
        (
            gettext_noop("Logs"),
            (
                (gettext_noop("Audit"), "history", "ocpp.auditentry"),
                (gettext_noop("Messages"), "forum", "ocpp.message"),
                (gettext_noop("Meter values"), "speed", "ocpp.metervalue"),
                (gettext_noop("Connection events"), "lan", "ocpp.connectionevent"),
                (gettext_noop("Status events"), "timeline", "ocpp.statusevent"),
                (
                    gettext_noop("Configuration changes"),
                    "manage_history",
                    "ocpp.configurationchange",
                ),
                (gettext_noop("Corrections"), "rule", "ocpp.metervaluecorrection"),
                (gettext_noop("Missed changes"), "sync_problem", "ocpp.missedchange"),
                (gettext_noop("Edges"), "dns", "ocpp.edge"),
            ),
        ),
        (
            gettext_noop("Certificates"),
            (
                (gettext_noop("Certificates"), "verified_user", "ocpp.chargepointcertificate"),
                (gettext_noop("Trusted certificates"), "license", "ocpp.installedcertificate"),
                (gettext_noop("Certificate authorities"), "approval", "ocpp.certificateauthority"),
                (gettext_noop("Meter keys"), "key", "ocpp.meterkey"),
            ),
        ),
    )

    def import_models(self) -> None:
        """There are none; the pages show those of levity.ocpp."""
        needs("levity.pages", "levity.ocpp")
        super().import_models()

    def ready(self) -> None:
        """Fill the setting in from which unfold reads what stands around a page."""
        from levity.pages import checks  # noqa: F401  (registers by being imported)
        from levity.pages.site import UNFOLD

        settings.LEVITY_UNFOLD = {**UNFOLD, **getattr(settings, "LEVITY_UNFOLD", {})}
