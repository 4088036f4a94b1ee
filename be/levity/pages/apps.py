"""How Django knows this app."""

from django.apps import AppConfig
from django.conf import settings

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
            "Charging",
            (
                ("Charge points", "ev_station", "ocpp.chargepoint"),
                ("Sites", "home_work", "ocpp.site"),
                ("Transactions", "receipt_long", "ocpp.transaction"),
                ("Id tags", "badge", "ocpp.idtag"),
                ("Commands", "send", "ocpp.command"),
                ("Certificates", "verified_user", "ocpp.chargepointcertificate"),
            ),
        ),
        (
            "Trouble",
            (
                ("Onboarding doctor", "stethoscope", "ocpp.refusedhandshake"),
                ("Quarantine", "inventory_2", "ocpp.quarantinedmessage"),
                ("Unassigned energy", "electric_meter", "ocpp.unassignedenergy"),
                ("Failed messages", "error", "ocpp.failedmessage"),
                ("Security events", "shield", "ocpp.securityevent"),
            ),
        ),
        (
            "Logs",
            (
                ("Messages", "forum", "ocpp.message"),
                ("Meter values", "speed", "ocpp.metervalue"),
                ("Connection events", "lan", "ocpp.connectionevent"),
                ("Status events", "timeline", "ocpp.statusevent"),
                ("Corrections", "rule", "ocpp.metervaluecorrection"),
                ("Edges", "hub", "ocpp.edge"),
                ("Certificate authorities", "approval", "ocpp.certificateauthority"),
                ("Audit", "history", "ocpp.auditentry"),
                ("Missed changes", "sync_problem", "ocpp.missedchange"),
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
