"""Charging profiles: give one, take them away, ask what they come to."""

from dataclasses import replace

from levity.ocpp.call_forms import CallForm, Field, Kind, Preset

__all__ = ["LIMITS", "PURPOSES", "profile_fields"]

GROUP = "Limits"
# OCPP 1.6, 3.13.1 and 7.11.
PURPOSES = (
    ("TxDefaultProfile", "each session, unless it has its own"),
    ("ChargePointMaxProfile", "the whole charger, whatever else is set"),
    ("TxProfile", "one running session"),
)
UNITS = (("A", "ampere, per phase"), ("W", "watt, all phases together"))
PERIODS = Field(
    "chargingSchedule.chargingSchedulePeriod",
    "Periods",
    Kind.ROWS,
    "The first begins at 0. A limit of 0 pauses charging. Some chargers round to whole amperes, "
    "and few cars charge below 6 A.",
    fields=(
        Field("startPeriod", "Begins after", Kind.WHOLE, unit="s", least=0, example=0),
        # 7.14: one decimal. Values such as 6.3 fail a naive check of the schema's 0.1 in chargers
        # that compute with doubles.
        Field("limit", "Limit", Kind.DECIMAL, unit="A or W", least=0, example=16),
        Field("numberPhases", "Phases", Kind.WHOLE, required=False, least=1, most=3),
    ),
)


def profile_fields(*, of_session: bool) -> tuple[Field, ...]:
    """The fields of a profile; `of_session`: it may name a session that runs."""
    session = Field(
        "transactionId",
        "Session",
        Kind.SESSION,
        "For a limit of one running session only.",
        required=False,
        nothing="none",
    )
    return (
        Field(
            "chargingProfilePurpose",
            "Applies to",
            Kind.CHOICE,
            "Several limits at once: the lowest counts.",
            choices=PURPOSES,
            default="TxDefaultProfile",
        ),
        *((session,) if of_session else ()),
        Field(
            "chargingSchedule.chargingRateUnit",
            "Unit of the limits",
            Kind.CHOICE,
            choices=UNITS,
            default="A",
        ),
        PERIODS,
        Field(
            "chargingProfileKind",
            "Times count",
            Kind.CHOICE,
            choices=(
                ("Absolute", "once, from the begin below"),
                ("Recurring", "every day or week, from the begin below"),
                ("Relative", "from the start of each session"),
            ),
            default="Absolute",
        ),
        Field(
            "recurrencyKind",
            "Comes again",
            Kind.CHOICE,
            "Where the times count every day or week.",
            required=False,
            choices=(("Daily", "every day"), ("Weekly", "every week")),
            nothing="never",
        ),
        Field(
            "chargingSchedule.startSchedule",
            "Begin",
            Kind.MOMENT,
            "Empty where the times count from the start of each session.",
            required=False,
            default=0,
        ),
        Field(
            "chargingSchedule.duration",
            "Duration",
            Kind.WHOLE,
            "Empty: without an end. After it, a lower stack level counts, or no limit at all.",
            required=False,
            unit="s",
            least=1,
            most=31_536_000,
        ),
        Field(
            "chargingProfileId",
            "Number of the profile",
            Kind.WHOLE,
            "A profile with the same number is replaced.",
            least=1,
            most=2_147_483_647,
            default=1,
        ),
        Field(
            "stackLevel",
            "Stack level",
            Kind.WHOLE,
            "Of several profiles that apply to the same, the one with the highest level counts. "
            "Some chargers know only 0.",
            least=0,
            most=1000,
            default=0,
        ),
        Field("validFrom", "Valid from", Kind.MOMENT, required=False),
        Field("validTo", "Valid until", Kind.MOMENT, required=False),
        Field(
            "chargingSchedule.minChargingRate",
            "Lowest useful limit",
            Kind.DECIMAL,
            "Below it the car does not charge, or wastes energy.",
            required=False,
            unit="A or W",
            least=0,
        ),
    )


_PROFILE = tuple(
    replace(item, at=f"csChargingProfiles.{item.at}") for item in profile_fields(of_session=True)
)

_SCHEDULE = "csChargingProfiles.chargingSchedule"
_DAILY = {
    "csChargingProfiles.chargingProfileKind": "Recurring",
    "csChargingProfiles.recurrencyKind": "Daily",
    f"{_SCHEDULE}.startSchedule": "midnight",
}
PRESETS = (
    Preset(
        "night",
        "Night only (22 to 6)",
        {
            **_DAILY,
            f"{_SCHEDULE}.chargingSchedulePeriod": (
                {"startPeriod": 0, "limit": 16},
                {"startPeriod": 21_600, "limit": 0},
                {"startPeriod": 79_200, "limit": 16},
            ),
        },
    ),
    Preset(
        "evening",
        "Less in the evening (17 to 21)",
        {
            **_DAILY,
            f"{_SCHEDULE}.chargingSchedulePeriod": (
                {"startPeriod": 0, "limit": 32},
                {"startPeriod": 61_200, "limit": 6},
                {"startPeriod": 75_600, "limit": 32},
            ),
        },
    ),
    Preset(
        "pause",
        "Pause for an hour",
        {
            f"{_SCHEDULE}.duration": 3600,
            f"{_SCHEDULE}.chargingSchedulePeriod": ({"startPeriod": 0, "limit": 0},),
        },
    ),
)

LIMITS = (
    CallForm(
        "charging-profile",
        "Set a charging profile",
        GROUP,
        "SetChargingProfile",
        "How much may be drawn, and when. For one limit that always holds, use “Maximum current”.",
        (
            Field(
                "connectorId",
                "Connector",
                Kind.CONNECTOR,
                whole="the whole charger",
                default=0,
            ),
            *_PROFILE,
        ),
        words="smart charging limit current power schedule night",
        presets=PRESETS,
    ),
    CallForm(
        "composite-schedule",
        "Ask what limit holds",
        GROUP,
        "GetCompositeSchedule",
        "The charger says what all its profiles come to, from now on.",
        (
            Field(
                "connectorId",
                "Connector",
                Kind.CONNECTOR,
                whole="the whole charger",
                default=0,
            ),
            Field(
                "duration",
                "For the next",
                Kind.WHOLE,
                unit="s",
                least=1,
                most=31_536_000,
                default=86_400,
            ),
            Field(
                "chargingRateUnit",
                "Unit",
                Kind.CHOICE,
                required=False,
                choices=UNITS,
                nothing="chosen by the charger",
                example="A",
            ),
        ),
        words="composite schedule smart charging plot",
    ),
    CallForm(
        "clear-profiles",
        "Remove charging profiles",
        GROUP,
        "ClearChargingProfile",
        "Removes the profiles that fit all fields that are filled in.",
        (
            Field(
                "id",
                "Number of the profile",
                Kind.WHOLE,
                required=False,
                least=1,
                most=2_147_483_647,
                example=1,
            ),
            Field(
                "connectorId",
                "Connector",
                Kind.CONNECTOR,
                required=False,
                nothing="any",
                whole="the whole charger",
            ),
            Field(
                "chargingProfilePurpose",
                "Applies to",
                Kind.CHOICE,
                required=False,
                choices=PURPOSES,
                nothing="any",
            ),
            Field("stackLevel", "Stack level", Kind.WHOLE, required=False, least=0, most=1000),
        ),
        # OCPP 1.6, erratum 3.25.
        all_if_empty="Without any field, the charger removes all its profiles, also a limit that "
        "protects a fuse.",
        words="clear delete smart charging",
    ),
)
