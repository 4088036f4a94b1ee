"""Sites, charge points, their connectors and their history, the edges they hang on."""

from django.db import models
from django.db.models.functions import Lower, Now
from django.utils import timezone

from levity.writing import gettext_noop

__all__ = [
    "Authorization",
    "ChargePoint",
    "Connector",
    "Edge",
    "SecurityProfile",
    "Site",
    "StatusEvent",
]


class Edge(models.Model):
    """A running `ws` process: where to send what is meant for its chargers."""

    id = models.CharField(max_length=100, primary_key=True)
    reply_to = models.CharField(max_length=255, help_text="Address of its reply queue.")
    started_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(db_index=True)
    connections = models.PositiveIntegerField(
        default=0, help_text="Open websockets, as last reported."
    )

    def __str__(self) -> str:
        return self.id


class Authorization(models.TextChoices):
    """Who may charge."""

    ANONYMOUS = "anonymous", gettext_noop("anyone, with any tag or none")
    KNOWN = "known", gettext_noop("known tags only")
    RECORD = "record", gettext_noop("anyone; unknown tags are recorded for approval")


class SecurityProfile(models.IntegerChoices):
    """How a charger proves who it is (OCPP 1.6 security whitepaper, 2.1). More is safer."""

    OPEN = 0, gettext_noop("0: open, no key required")
    BASIC = 1, gettext_noop("1: key, without encryption (ws://)")
    BASIC_TLS = 2, gettext_noop("2: key, over TLS (wss://)")
    CERTIFICATE = 3, gettext_noop("3: client certificate, over TLS (wss://)")


class Site(models.Model):
    """A place with chargers and rules of its own: a house, a car park."""

    name = models.CharField(max_length=100, unique=True)
    time_zone = models.CharField(
        max_length=64,
        blank=True,
        help_text=(
            "Such as Europe/Berlin. Empty: the server's. Also assumed for chargers that send "
            "times without a time zone."
        ),
    )
    authorization = models.CharField(
        max_length=12, choices=Authorization, blank=True, help_text="Empty: the default setting."
    )
    security_profile = models.PositiveSmallIntegerField(
        choices=SecurityProfile,
        null=True,
        blank=True,
        help_text="Profile of new charge points here. Empty: the default setting.",
    )
    bill_signed = models.BooleanField(
        "bill by signed values",
        default=False,
        # Also for a worker of the release before, which does not name the column.
        db_default=False,
        help_text=(
            "Sessions are billed by the energy that their meter has signed. One whose signed "
            "values do not verify with the key that was entered waits for a decision."
        ),
    )
    notes = models.TextField(blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ChargePoint(models.Model):
    """One charger: who it is, what it said of itself, and whether it is there."""

    class Registration(models.TextChoices):
        """What BootNotification is answered with (OCPP 1.6, 7.41 RegistrationStatus)."""

        ACCEPTED = "Accepted"
        PENDING = "Pending"
        REJECTED = "Rejected"

    identity = models.CharField(
        max_length=48, help_text="The last part of the charger's websocket URL."
    )
    name = models.CharField(max_length=100, blank=True, help_text="Descriptive name.")
    site = models.ForeignKey(
        Site, null=True, blank=True, on_delete=models.SET_NULL, related_name="charge_points"
    )
    notes = models.TextField(blank=True)
    registration = models.CharField(
        max_length=8, choices=Registration, default=Registration.ACCEPTED
    )

    security_profile = models.PositiveSmallIntegerField(
        choices=SecurityProfile,
        default=SecurityProfile.OPEN,
        # An older worker, which does not know the column, adds charge points, too.
        db_default=SecurityProfile.OPEN,
        help_text="Connections with a lower profile are refused. OCPP messages can never lower it.",
    )
    profile_since = models.DateTimeField(
        default=timezone.now,
        db_default=Now(),
        editable=False,
        help_text="When the profile was raised; earlier connections do not meet it.",
    )

    vendor = models.CharField(max_length=255, blank=True)
    model = models.CharField(max_length=255, blank=True)
    serial_number = models.CharField("charge point serial number", max_length=255, blank=True)
    charge_box_serial_number = models.CharField(max_length=255, blank=True)
    firmware_version = models.CharField(max_length=255, blank=True)
    iccid = models.CharField("ICCID", max_length=255, blank=True)
    imsi = models.CharField("IMSI", max_length=255, blank=True)
    meter_type = models.CharField(max_length=255, blank=True)
    meter_serial_number = models.CharField(max_length=255, blank=True)
    firmware_status = models.CharField(max_length=64, blank=True)
    diagnostics_status = models.CharField(max_length=64, blank=True)

    authorization = models.CharField(
        max_length=12, choices=Authorization, blank=True, help_text="Empty: the site's rule."
    )
    time_zone = models.CharField(
        max_length=64,
        blank=True,
        help_text="Time zone of its clock, if it sends times without a zone.",
    )
    quirk_profile = models.CharField(
        max_length=64, blank=True, help_text="Empty: chosen by vendor, model and firmware."
    )
    quirk_overrides = models.JSONField(
        default=dict, blank=True, help_text="Values that override fields of the quirk profile."
    )
    max_power = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="W per connector; faster-rising meters are considered wrong. Empty: the default.",
    )
    learned_power = models.PositiveIntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text="Highest power in W that a connector was seen to deliver, if above the default.",
    )
    heartbeat_interval = models.PositiveIntegerField(
        null=True, blank=True, help_text="Seconds between heartbeats. Empty: the default."
    )
    ping_interval = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text=(
            "Seconds between websocket pings; 0: none. Empty: from the quirk profile, or the "
            "default."
        ),
    )
    call_timeout = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Seconds to wait for its answer to a command. Empty: the default.",
    )
    certificate_name = models.CharField(
        max_length=64,
        blank=True,
        # An older worker, which does not know the column, adds charge points, too.
        default="",
        db_default="",
        help_text=(
            "The common name in its certificate. Empty: its identity. The security whitepaper "
            "(A00.FR.405) uses the serial number."
        ),
    )
    learned_silence = models.PositiveIntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text="Seconds of silence after which its connection was repeatedly closed.",
    )
    learned_evidence = models.CharField(
        max_length=255,
        blank=True,
        editable=False,
        default="",
        db_default="",
        help_text="Evidence for it.",
    )
    learned_at = models.DateTimeField(null=True, blank=True, editable=False)
    learned_from = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text=(
            "Connections that closed before this time are ignored, because an operator reset the "
            "learning."
        ),
    )

    connection = models.UUIDField(
        null=True, blank=True, editable=False, help_text="The current websocket. Empty: offline."
    )
    subprotocol = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="Subprotocol of the current or last websocket. Empty: OCPP 1.6.",
    )
    edge = models.ForeignKey(
        Edge,
        null=True,
        blank=True,
        editable=False,
        # `charge_point_online` finds those that are connected.
        db_index=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    connected_at = models.DateTimeField(null=True, blank=True, editable=False)
    disconnected_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_seen_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="Time of its last frame, to within some seconds.",
    )
    silent_since = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="Time of its last frame, if it missed two heartbeats on an open connection.",
    )
    evidence_until = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text=(
            "A command was not answered; until this time, its messages are checked for the outcome."
        ),
    )
    retired_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When it was retired. Empty: in use."
    )
    booted_at = models.DateTimeField(null=True, blank=True, editable=False)
    remote_address = models.CharField(max_length=64, blank=True, editable=False)
    connection_timeout = models.PositiveIntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text="Its ConnectionTimeOut in seconds, if reported.",
    )
    holds = models.TextField(
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="Presented cards and accepted starts that have no session yet.",
    )
    clock_lag = models.IntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text="Seconds by which its clock is behind ours, if known.",
    )
    clock_lag_seen = models.IntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text=(
            "The same for its last StatusNotification with a time: a slow clock, or an old message."
        ),
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            # Two spellings are one charger: no shadow record beside the real one.
            models.UniqueConstraint(Lower("identity"), name="charge_point_identity"),
        ]
        indexes = [
            models.Index(
                fields=["edge"],
                name="charge_point_online",
                condition=models.Q(connection__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.identity

    @property
    def online(self) -> bool:
        """True while a websocket of this charger is open."""
        return self.connection is not None

    @property
    def silent(self) -> bool:
        """True while its websocket is open and two heartbeats are missing. Commands are sent to it
        all the same: that is how one finds out."""
        return self.connection is not None and self.silent_since is not None


class Connector(models.Model):
    """One outlet of a charge point; number 0 is the charge point as a whole (OCPP 1.6)."""

    charge_point = models.ForeignKey(
        # `connector_of_charge_point` begins with it.
        ChargePoint,
        db_index=False,
        on_delete=models.CASCADE,
        related_name="connectors",
    )
    evse = models.PositiveIntegerField(default=0, help_text="0 for chargers that speak OCPP 1.6.")
    number = models.PositiveIntegerField()
    status = models.CharField(
        max_length=64, blank=True, help_text="Empty: not reported since boot."
    )
    status_since = models.DateTimeField(
        null=True, blank=True, help_text="When the status last changed, by our clock."
    )
    status_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Time in its last StatusNotification, by the charger's clock.",
    )
    error_code = models.CharField(max_length=64, blank=True)
    info = models.CharField(max_length=255, blank=True)
    vendor_id = models.CharField(max_length=255, blank=True)
    vendor_error_code = models.CharField(max_length=255, blank=True)
    transaction = models.ForeignKey(
        "ocpp.Transaction",
        null=True,
        blank=True,
        editable=False,
        # A status, a start and a stop change a row in its page, without a new entry in any index,
        # as long as no index knows what they change.
        db_index=False,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The running transaction, or the one interrupted by a boot (then orphaned).",
    )

    class Meta:
        ordering = ["charge_point", "evse", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["charge_point", "evse", "number"], name="connector_of_charge_point"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.charge_point} · {self.number}"


class StatusEvent(models.Model):
    """A connector changed its status or its error: the history behind `Connector`."""

    charge_point = models.ForeignKey(
        ChargePoint, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    evse = models.PositiveIntegerField(default=0)
    connector = models.PositiveIntegerField()
    status = models.CharField(max_length=64, blank=True)
    error_code = models.CharField(max_length=64, blank=True)
    info = models.CharField(max_length=255, blank=True)
    vendor_error_code = models.CharField(max_length=255, blank=True)
    reported_at = models.DateTimeField(null=True, blank=True, help_text="By the charger's clock.")
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["charge_point", "-id"], name="status_event_of_charge_point"),
            models.Index(fields=["received_at"], name="status_event_received"),
        ]

    def __str__(self) -> str:
        return f"{self.connector}: {self.status} {self.error_code}".strip()
