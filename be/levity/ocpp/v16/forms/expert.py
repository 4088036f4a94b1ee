"""What only the maker of a charger can explain."""

from levity.ocpp.call_forms import CallForm, Field, Kind

__all__ = ["EXPERT"]

EXPERT = (
    CallForm(
        "data-transfer",
        "Send vendor data",
        "Expert",
        "DataTransfer",
        "What it does is described by the maker of the charger.",
        (
            Field("vendorId", "Vendor", longest=255, example="com.example"),
            Field("messageId", "Message", required=False, longest=50),
            Field("data", "Data", Kind.LONG_TEXT, required=False),
        ),
        words="vendor custom",
    ),
)
