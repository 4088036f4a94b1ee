"""Start, stop, unlock, take out of service, restart."""

from dataclasses import replace

from levity.ocpp.call_forms import CallForm, Field, Kind
from levity.ocpp.v16.forms.limits import PERIODS

__all__ = ["CHARGING"]

GROUP = "Charging"
_PROFILE = "chargingProfile"
_PERIODS = f"{_PROFILE}.{PERIODS.at}"

CHARGING = (
    CallForm(
        "start",
        "Start charging",
        GROUP,
        "RemoteStartTransaction",
        "The charger starts as if this id tag had been presented. The car has to be plugged in, "
        "or to be plugged in within a minute or so.",
        (
            Field(
                "connectorId",
                "Connector",
                Kind.CONNECTOR,
                required=False,
                nothing="chosen by the charger",
                example=1,
            ),
            Field(
                "idTag",
                "Id tag",
                Kind.TAG,
                "The id tag to charge with. At most 20 characters; some chargers accept only 18.",
                longest=20,
                example="04A1B2C301",
            ),
            replace(
                PERIODS,
                at=_PERIODS,
                label="Limits of this session, A",
                help="Empty: none. In A on each phase, from the start of the session: the first "
                "begins after 0 s. A limit of 0 pauses charging.",
                required=False,
                fields=tuple(
                    replace(item, unit="A") if item.at == "limit" else item
                    for item in PERIODS.fields
                ),
            ),
        ),
        # OCPP 1.6, 5.16: a profile that comes with a start is a TxProfile without a transactionId.
        fixed_with={
            _PERIODS: {
                f"{_PROFILE}.chargingProfileId": 1,
                f"{_PROFILE}.stackLevel": 0,
                f"{_PROFILE}.chargingProfilePurpose": "TxProfile",
                f"{_PROFILE}.chargingProfileKind": "Relative",
                f"{_PROFILE}.chargingSchedule.chargingRateUnit": "A",
            }
        },
        for_many=False,
        words="remote begin session charging profile limit",
    ),
    CallForm(
        "stop",
        "Stop charging",
        GROUP,
        "RemoteStopTransaction",
        "The charger ends this session. The cable stays locked until the car releases it.",
        (Field("transactionId", "Session", Kind.SESSION),),
        for_many=False,
        words="remote end session transaction",
    ),
    CallForm(
        "unlock",
        "Unlock connector",
        GROUP,
        "UnlockConnector",
        "The charger releases the cable lock. A running session is ended first.",
        (Field("connectorId", "Connector", Kind.CONNECTOR, default=1),),
        is_dangerous=True,
        for_many=False,
        words="cable stuck release",
    ),
    CallForm(
        "availability",
        "In or out of service",
        GROUP,
        "ChangeAvailability",
        "Out of service: nobody can charge there until it is put back into service. A running "
        "session goes on to its end first. The charger remembers it over a restart.",
        (
            Field(
                "connectorId",
                "Connector",
                Kind.CONNECTOR,
                whole="the whole charger",
                default=0,
            ),
            Field(
                "type",
                "Service",
                Kind.CHOICE,
                choices=(("Operative", "In service"), ("Inoperative", "Out of service")),
                default="Operative",
            ),
        ),
        words="operative inoperative disable enable unavailable",
    ),
    CallForm(
        "reset-soft",
        "Soft reset",
        GROUP,
        "Reset",
        "The charger ends running sessions properly, then restarts.",
        fixed={"type": "Soft"},
        is_dangerous=True,
        words="reboot restart",
    ),
    CallForm(
        "reset-hard",
        "Hard reset",
        GROUP,
        "Reset",
        "The charger restarts at once, as after a power cut. It may not end running sessions "
        "first.",
        fixed={"type": "Hard"},
        is_dangerous=True,
        words="reboot restart power cycle",
    ),
)
