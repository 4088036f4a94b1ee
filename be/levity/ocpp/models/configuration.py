"""How chargers are configured: each key as its charger reported it, and who changed it."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone

from levity.ocpp.models.charge_point import ChargePoint, Site

__all__ = [
    "ConfigurationChange",
    "ConfigurationKey",
    "ConfigurationState",
    "ConfigurationTemplate",
    "TemplateAssignment",
]


class ConfigurationKey(models.Model):
    """One configuration key of a charge point. The values of secret keys are masked."""

    charge_point = models.ForeignKey(
        ChargePoint, on_delete=models.CASCADE, related_name="configuration_keys"
    )
    name = models.CharField(
        max_length=255, help_text="The key in lower case: to OCPP, case makes no difference."
    )
    key = models.CharField(max_length=255, help_text="As the charger spells it.")
    value = models.TextField(null=True, blank=True, help_text="As sent; masked if it is secret.")
    is_secret = models.BooleanField(default=False)
    readonly = models.BooleanField(null=True, help_text="Empty: not reported.")
    is_unknown = models.BooleanField(
        default=False, help_text="The charger said that it has no such key."
    )
    note = models.CharField(
        max_length=255, blank=True, help_text="What was unusual about the answer."
    )
    read_at = models.DateTimeField(null=True, blank=True, help_text="When it was last read.")
    pending_value = models.TextField(
        null=True, blank=True, help_text="Accepted, but in effect only after a reboot."
    )
    pending_at = models.DateTimeField(null=True, blank=True)
    reboot_required = models.BooleanField(
        default=False, help_text="A change of this key required a reboot."
    )
    refused_value = models.TextField(null=True, blank=True)
    refused_why = models.CharField(max_length=64, blank=True, help_text="The charger's answer.")
    refused_at = models.DateTimeField(null=True, blank=True)
    previous_value = models.TextField(null=True, blank=True)
    changed_at = models.DateTimeField(null=True, blank=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    changed_by_name = models.CharField(
        max_length=150, blank=True, help_text="User name at that time, or the source of the change."
    )

    class Meta:
        verbose_name = "configuration key"
        ordering = ["charge_point", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["charge_point", "name"], name="configuration_key_of_charge_point"
            ),
        ]

    def __str__(self) -> str:
        return self.key

    def is_pending(self, booted_at: datetime | None) -> bool:
        """True while an accepted value waits for the charger to reboot."""
        at = self.pending_at
        return at is not None and (booted_at is None or booted_at <= at)

    def value_now(self, booted_at: datetime | None) -> str | None:
        """The value in effect: one that waited for a reboot is, once the charger has booted."""
        if self.pending_at is not None and not self.is_pending(booted_at):
            return self.pending_value
        return self.value


class ConfigurationChange(models.Model):
    """A key got another value: by a command of ours, or as a reading showed. Secrets are masked."""

    charge_point = models.ForeignKey(
        ChargePoint, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    key = models.CharField(max_length=255)
    old_value = models.TextField(null=True, blank=True, help_text="Empty: not known.")
    new_value = models.TextField(null=True, blank=True)
    how = models.CharField(max_length=64, help_text="The charger's answer, or found by reading.")
    at = models.DateTimeField()
    who = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    who_name = models.CharField(max_length=150, blank=True)

    class Meta:
        verbose_name = "configuration change"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["charge_point", "-id"], name="configuration_change_of_cp"),
            models.Index(fields=["at"], name="configuration_change_at"),
        ]

    def __str__(self) -> str:
        return self.key


class ConfigurationState(models.Model):
    """What is known of the configuration of a charge point as a whole, and what Levity does to keep
    it as its templates say."""

    class Step(models.TextChoices):
        """What is under way."""

        READING = "reading"
        CHANGING = "changing"

    charge_point = models.OneToOneField(
        ChargePoint,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="configuration_state",
    )
    read_at = models.DateTimeField(null=True, blank=True, help_text="When all keys were last read.")
    keys_read = models.PositiveIntegerField(
        default=0, db_default=0, help_text="How many keys that answer had."
    )

    read_firmware = models.CharField(
        max_length=32,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="Mark of the make and firmware that was asked for its keys after a boot.",
    )
    boot_asked = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="The boot after which that was looked at."
    )
    wanted = models.CharField(
        max_length=32,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="Mark of the values of its templates that the following is about.",
    )
    boot = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="The boot that the tries are about."
    )
    step = models.CharField(
        max_length=10, blank=True, default="", db_default="", choices=Step, editable=False
    )
    since = models.DateTimeField(null=True, blank=True, editable=False)
    next_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When Levity looks at it again."
    )
    tries_boot = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    tries_day = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    day = models.DateField(null=True, blank=True, editable=False)
    gave_up = models.CharField(
        max_length=255, blank=True, default="", db_default="", help_text="Why it is left as it is."
    )
    is_held = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Not tried again after a boot, until its templates change or a person says so.",
    )
    in_step_at = models.DateTimeField(null=True, blank=True, editable=False)
    differing = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Keys that are not as the templates say."
    )

    class Meta:
        verbose_name = "configuration"
        indexes = [
            models.Index(
                fields=["next_at"],
                name="configuration_due",
                condition=models.Q(next_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"configuration of {self.charge_point_id}"


class ConfigurationTemplate(models.Model):
    """How chargers are to be configured: keys and their values, for those it is assigned to."""

    name = models.CharField(max_length=100, unique=True)
    notes = models.TextField(blank=True)
    values = models.JSONField(default=dict, help_text="Key to value.")
    vendor = models.CharField(
        max_length=200, blank=True, help_text="Pattern of the vendor, such as ABB. Empty: any."
    )
    model = models.CharField(
        max_length=200, blank=True, help_text="Pattern of the model, such as Terra.*. Empty: any."
    )
    firmware = models.CharField(
        max_length=200, blank=True, help_text="Pattern of the firmware version. Empty: any."
    )
    changed_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "configuration template"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TemplateAssignment(models.Model):
    """A person wants a template for one charge point, for a site, or (neither) for all that its
    patterns fit. Without one, a template changes nothing."""

    template = models.ForeignKey(
        ConfigurationTemplate, on_delete=models.CASCADE, related_name="assignments"
    )
    charge_point = models.ForeignKey(
        ChargePoint, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    site = models.ForeignKey(
        Site, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    assigned_at = models.DateTimeField(default=timezone.now)
    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        verbose_name = "template assignment"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["template", "charge_point"],
                name="template_of_charge_point",
                condition=models.Q(charge_point__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["template", "site"],
                name="template_of_site",
                condition=models.Q(site__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["template"],
                name="template_of_all",
                condition=models.Q(site__isnull=True, charge_point__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.template_id} for {self.charge_point_id or self.site_id or 'all'}"
