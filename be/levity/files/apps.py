"""How Django knows this app."""

from django.apps import AppConfig

from levity.installation import needs

__all__ = ["FilesConfig"]


class FilesConfig(AppConfig):
    """The app `files`: what chargers uploaded, firmware, and campaigns."""

    name = "levity.files"
    label = "files"
    verbose_name = "Files"

    levity_navigation = (
        (
            "Maintenance",
            (
                ("Files", "folder_open", "ocpp.filejob"),
                ("Firmware", "memory", "files.firmware"),
                ("Firmware campaigns", "rocket_launch", "files.campaign"),
            ),
        ),
    )

    def import_models(self) -> None:
        """They refer to charge points."""
        needs("levity.files", "levity.ocpp")
        super().import_models()

    def ready(self) -> None:
        """What is kept for a while goes with the log."""
        from levity.files import retention
        from levity.ocpp.decisions.retention import pruned
        from levity.ocpp.store.inventory import kept_elsewhere

        pruned.connect(retention.prune_files, dispatch_uid="levity.files")
        kept_elsewhere.connect(retention.said_of_files, dispatch_uid="levity.files")
