"""Keys of the charger's configuration."""

from levity.ocpp.call_forms import CallForm, Field, Kind

__all__ = ["CONFIGURATION"]

GROUP = "Configuration"

CONFIGURATION = (
    CallForm(
        "configuration",
        "Read configuration",
        GROUP,
        "GetConfiguration",
        "The answer appears on the page of the command.",
        (
            Field(
                "key",
                "Keys",
                Kind.WORDS,
                "Separated by commas; empty: all keys.",
                required=False,
                longest=50,
                example=("HeartbeatInterval", "MeterValueSampleInterval"),
            ),
        ),
        words="settings keys get",
    ),
    CallForm(
        "change-key",
        "Change a key",
        GROUP,
        "ChangeConfiguration",
        "Some keys take effect after a restart only: the answer says so.",
        (
            Field("key", "Key", longest=50, example="MeterValueSampleInterval"),
            Field(
                "value",
                "Value",
                help="At most 500 characters. Numbers and true or false as text.",
                may_be_empty=True,
                longest=500,
                example="60",
            ),
        ),
        words="settings configuration set",
    ),
)
