"""What sessions cost: tariffs in versions, and for whom each is."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_noop

from levity.billing.models.households import Household
from levity.billing.rules.choosing import Use
from levity.ocpp.models import ChargePoint, Site
from levity.writing import Phrase

__all__ = ["Tariff", "TariffUse", "TariffVersion"]


class Tariff(models.Model):
    """What sessions cost, from one version to the next."""

    # How somebody who is limited to sites sees it: a tariff without a site is for all.
    site_path = "site"

    name = models.CharField(
        max_length=100, unique=True, help_text=gettext_noop("As the statement names it.")
    )
    site = models.ForeignKey(
        Site,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="tariffs",
        help_text=gettext_noop("Who is limited to this site sees it. Empty: for all sites."),
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TariffVersion(models.Model):
    """What a tariff says from one moment on, until its next version. Never changed: an edit is a
    new version, and sessions keep the one that held when they began."""

    site_path = "tariff__site"

    tariff = models.ForeignKey(Tariff, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(
        help_text=gettext_noop("Counts up; of two for one time, the last.")
    )
    begins = models.DateTimeField(
        gettext_noop("from"), help_text=gettext_noop("The first moment at which it holds.")
    )
    document = models.JSONField(help_text=gettext_noop("All that it says: docs/billing.md."))
    note = models.CharField(max_length=200, blank=True, help_text=gettext_noop("Why it was made."))
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.CharField(max_length=150, blank=True, editable=False)

    class Meta:
        default_permissions = ("view",)
        ordering = ["tariff", "-begins", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["tariff", "number"], name="tariff_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.tariff}, version {self.number}"


class TariffUse(models.Model):
    """For whom a tariff is: everybody, a site, a charge point, a household or a card; what says
    more counts more. Without a tariff: nobody pays for these sessions."""

    site_path = "site"

    tariff = models.ForeignKey(
        Tariff,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="uses",
        help_text=gettext_noop("Empty: free, nobody pays for these sessions."),
    )
    site = models.ForeignKey(
        Site, null=True, blank=True, on_delete=models.CASCADE, related_name="tariff_uses"
    )
    charge_point = models.ForeignKey(
        ChargePoint, null=True, blank=True, on_delete=models.CASCADE, related_name="tariff_uses"
    )
    household = models.ForeignKey(
        Household, null=True, blank=True, on_delete=models.CASCADE, related_name="tariff_uses"
    )
    id_tag = models.CharField(
        gettext_noop("id tag"), max_length=255, blank=True, help_text=gettext_noop("A card.")
    )
    first_day = models.DateField(
        null=True, blank=True, help_text=gettext_noop("By when a session began; empty: always.")
    )
    last_day = models.DateField(
        null=True, blank=True, help_text=gettext_noop("Included; empty: no end.")
    )

    class Meta:
        verbose_name = "use of a tariff"
        verbose_name_plural = "uses of tariffs"
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.tariff or 'free'} for {self.whom}"

    @property
    def whom(self) -> Phrase:
        """For people."""
        if self.id_tag:
            return Phrase(gettext_noop("id tag %(tag)s"), tag=self.id_tag)
        if self.household is not None:
            return Phrase(gettext_noop("household %(name)s"), name=self.household)
        if self.charge_point is not None:
            return Phrase(gettext_noop("charge point %(name)s"), name=self.charge_point)
        if self.site is not None:
            return Phrase(gettext_noop("site %(name)s"), name=self.site)
        return Phrase(gettext_noop("everybody"))

    @property
    def use(self) -> Use:
        """As the rules read it."""
        return Use(
            self.tariff_id,
            self.site_id,
            self.charge_point_id,
            self.household_id,
            self.id_tag,
            self.first_day,
            self.last_day,
        )

    def clean(self) -> None:
        """It names one thing at most, and nothing has two tariffs on one day."""
        things = (self.site_id, self.charge_point_id, self.household_id, self.id_tag)
        if sum(bool(thing) for thing in things) > 1:
            raise ValidationError(
                gettext_noop(
                    "Choose one of site, charge point, household and id tag, or none for everybody."
                )
            )
        if self.first_day and self.last_day and self.last_day < self.first_day:
            raise ValidationError({"last_day": gettext_noop("This is before the first day.")})
        for other in self._others():
            if other.use.meets(self.use):
                raise ValidationError(
                    gettext_noop(
                        "There is a tariff for %(whom)s at that time already: %(tariff)s. Give "
                        "that one a last day first."
                    ),
                    params={
                        "whom": other.whom,
                        "tariff": other.tariff or Phrase(gettext_noop("free: nobody pays")),
                    },
                )

    def _others(self) -> Any:
        found = TariffUse.objects.exclude(pk=self.pk).select_related(
            "tariff", "site", "charge_point", "household"
        )
        return found.filter(
            site=self.site_id,
            charge_point=self.charge_point_id,
            household=self.household_id,
            id_tag__iexact=self.id_tag,
        )
