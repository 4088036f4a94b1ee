"""The tags that charge."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from levity.ocpp.models.charge_point import ChargePoint

__all__ = ["IdTag"]


class IdTag(models.Model):
    """A card, fob or app identity that may start and stop charging (OCPP 1.6, 7.28 IdToken)."""

    class Status(models.TextChoices):
        """OCPP 1.6, 7.2 AuthorizationStatus, as far as it is a property of the tag."""

        ACCEPTED = "Accepted", "accepted"
        BLOCKED = "Blocked", "blocked"
        RECORDED = "Recorded", "recorded, awaiting approval"

    class Type(models.TextChoices):
        """OCPP 2.0.1, 3.43 IdTokenEnumType. 1.6 knows one kind of tag, and says no type."""

        CENTRAL = "Central", "Central: from an app or the operator"
        EMAID = "eMAID", "eMAID: contract of a car (Plug & Charge)"
        ISO14443 = "ISO14443", "ISO14443: RFID card or fob"
        ISO15693 = "ISO15693", "ISO15693: RFID card or fob, vicinity"
        KEY_CODE = "KeyCode", "KeyCode: PIN"
        LOCAL = "Local", "Local: made by the charger"
        MAC_ADDRESS = "MacAddress", "MacAddress: of the car"
        NO_AUTHORIZATION = "NoAuthorization", "NoAuthorization: a start button"

    id_tag = models.CharField("id tag", max_length=255)
    type = models.CharField(
        max_length=16,
        choices=Type,
        blank=True,
        default="",
        # Also for a worker of the release before, which does not name the column.
        db_default="",
        help_text="What kind of token it is, for chargers with OCPP 2.0.1. Empty: any kind.",
    )
    status = models.CharField(max_length=16, choices=Status, default=Status.ACCEPTED)
    expires_at = models.DateTimeField(null=True, blank=True)
    parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="children",
        help_text=(
            "The group, such as a household. A tag may stop sessions started by another tag of "
            "its group; if the group is blocked, expired or at its limit, so are its tags."
        ),
    )
    charge_points = models.ManyToManyField(
        ChargePoint,
        blank=True,
        related_name="+",
        help_text="Where it may charge. None selected: everywhere.",
    )
    max_transactions = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text=(
            "How many concurrent sessions the tag, or all tags of this group together, may have. "
            "Empty: unlimited."
        ),
    )
    owner = models.CharField(max_length=200, blank=True)
    notes = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["id_tag"]
        constraints = [
            # CiString20Type: case does not count.
            models.UniqueConstraint(Lower("id_tag"), name="id_tag_value"),
        ]

    def __str__(self) -> str:
        return self.id_tag

    def clean(self) -> None:
        """A group is one level: a household has cards, a card has none."""
        if self.parent_id is not None and self.parent_id == self.pk:
            raise ValidationError({"parent": "A tag can't be its own group."})
        if self.parent is not None and self.parent.parent_id is not None:
            said = f"{self.parent} belongs to a group itself; groups can't be nested."
            raise ValidationError({"parent": said})
        if self.parent_id is not None and self.pk and self.children.exists():
            raise ValidationError({"parent": "This tag is a group with members of its own."})
