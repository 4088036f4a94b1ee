"""Who pays: households, and what each of them charges with."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_noop

from levity.billing.rules.payer import Held
from levity.ocpp.models import ChargePoint, Site
from levity.writing import Phrase

__all__ = ["Assignment", "Household"]


class Household(models.Model):
    """Those who get one statement together: a flat, a family, a firm."""

    # How somebody who is limited to sites sees it (levity.ocpp.visibility).
    site_path = "site"

    class Language(models.TextChoices):
        """What statements and mails will be written in."""

        ENGLISH = "en", "English"
        GERMAN = "de", "German"
        FRENCH = "fr", "French"
        DUTCH = "nl", "Dutch"

    name = models.CharField(
        max_length=200, help_text=gettext_noop("Who pays, as the statement names them.")
    )
    flat = models.CharField(
        max_length=100, blank=True, help_text=gettext_noop("Such as 3rd floor left.")
    )
    parking = models.CharField(gettext_noop("parking space"), max_length=100, blank=True)
    site = models.ForeignKey(
        Site, null=True, blank=True, on_delete=models.PROTECT, related_name="households"
    )
    email = models.EmailField(
        gettext_noop("e-mail"), blank=True, help_text=gettext_noop("Empty: statements are printed.")
    )
    language = models.CharField(max_length=2, choices=Language, default=Language.ENGLISH)
    members = models.TextField(
        blank=True, help_text=gettext_noop("Who belongs to it, a name each line.")
    )
    notes = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name", "flat", "pk"]

    def __str__(self) -> str:
        return f"{self.name}, {self.flat}" if self.flat else self.name


class Assignment(models.Model):
    """What a household charges with, from one day to another: a card, or a charge point or one of
    its connectors. Its sessions of these days are the household's."""

    site_path = "household__site"

    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="assignments")
    id_tag = models.CharField(
        gettext_noop("id tag"),
        max_length=255,
        blank=True,
        help_text=gettext_noop("A card. Or else a charge point."),
    )
    charge_point = models.ForeignKey(
        ChargePoint, null=True, blank=True, on_delete=models.PROTECT, related_name="assignments"
    )
    connector = models.PositiveIntegerField(
        null=True, blank=True, help_text=gettext_noop("Of the charge point; empty: all of it.")
    )
    first_day = models.DateField(default=timezone.localdate)
    last_day = models.DateField(
        null=True, blank=True, help_text=gettext_noop("Included; empty: no end.")
    )

    class Meta:
        ordering = ["first_day", "pk"]
        indexes = [models.Index(fields=["charge_point"], name="assignment_of_charge_point")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(id_tag="", charge_point__isnull=False)
                | (models.Q(charge_point=None, connector=None) & ~models.Q(id_tag="")),
                name="assignment_of_one_thing",
                violation_error_message=gettext_noop("Give either an id tag or a charge point."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.thing}, {self.days}"

    @property
    def thing(self) -> Phrase:
        """For people."""
        if self.charge_point is None:
            return Phrase(gettext_noop("id tag %(tag)s"), tag=self.id_tag)
        if self.connector:
            return Phrase(
                gettext_noop("charge point %(name)s, connector %(number)s"),
                name=self.charge_point,
                number=self.connector,
            )
        return Phrase(gettext_noop("charge point %(name)s"), name=self.charge_point)

    @property
    def days(self) -> Phrase:
        """For people."""
        if self.last_day:
            text = gettext_noop("from %(first)s to %(last)s")
            return Phrase(text, first=self.first_day, last=self.last_day)
        return Phrase(gettext_noop("from %(first)s on"), first=self.first_day)

    @property
    def held(self) -> Held:
        """As the rules read it."""
        return Held(
            self.household_id,
            self.first_day,
            self.last_day,
            self.id_tag,
            self.charge_point_id,
            self.connector,
        )

    def clean(self) -> None:
        """Nothing is two households' on one day, and days are in order."""
        if self.last_day is not None and self.last_day < self.first_day:
            raise ValidationError({"last_day": gettext_noop("This is before the first day.")})
        if not self.id_tag and self.charge_point_id is None:
            raise ValidationError(gettext_noop("Give an id tag or a charge point."))
        if self.id_tag and self.charge_point_id is not None:
            raise ValidationError(
                gettext_noop("Give either an id tag or a charge point, on a line each.")
            )
        for other in self._others():
            if other.held.meets(self.held):
                raise ValidationError(
                    gettext_noop("%(household)s has %(thing)s %(days)s: end that first."),
                    params={
                        "household": other.household,
                        "thing": other.thing,
                        "days": other.days,
                    },
                )

    def _others(self) -> Any:
        found = Assignment.objects.exclude(pk=self.pk).select_related("household", "charge_point")
        if self.id_tag:
            return found.filter(id_tag__iexact=self.id_tag)
        return found.filter(charge_point=self.charge_point_id, connector=self.connector)
