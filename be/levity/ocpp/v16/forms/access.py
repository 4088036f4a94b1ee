"""Reservations, the charger's own list of id tags, and what it remembers of them."""

from levity.ocpp.call_forms import CallForm, Field, Kind

__all__ = ["ACCESS"]

GROUP = "Access"

STATUSES = (
    ("Accepted", "may charge"),
    ("Blocked", "blocked"),
    ("Expired", "expired"),
    ("Invalid", "unknown"),
    ("ConcurrentTx", "charges elsewhere"),
)

ACCESS = (
    CallForm(
        "reserve",
        "Reserve a connector",
        GROUP,
        "ReserveNow",
        "The charger keeps this connector for this id tag until the end. The same number again "
        "replaces an earlier reservation.",
        (
            Field("connectorId", "Connector", Kind.CONNECTOR, whole="any connector", default=1),
            Field("idTag", "Id tag", Kind.TAG, longest=20, example="04A1B2C301"),
            Field(
                "parentIdTag",
                "Group of id tags",
                help="Any id tag of this group may use it, too (parentIdTag).",
                required=False,
                longest=20,
            ),
            Field("expiryDate", "Until", Kind.MOMENT, default=60),
            Field(
                "reservationId",
                "Number of the reservation",
                Kind.WHOLE,
                "You need it to cancel the reservation.",
                least=0,
                most=2_147_483_647,
                default=1,
            ),
        ),
        for_many=False,
    ),
    CallForm(
        "cancel-reservation",
        "Cancel a reservation",
        GROUP,
        "CancelReservation",
        "The connector is free for everybody again.",
        (
            Field(
                "reservationId",
                "Number of the reservation",
                Kind.WHOLE,
                least=0,
                most=2_147_483_647,
                example=1,
            ),
        ),
        for_many=False,
        words="reserve free",
    ),
    CallForm(
        "local-list",
        "Send a list of id tags",
        GROUP,
        "SendLocalList",
        "The charger decides by this list while it is offline, and with some settings always.",
        (
            Field(
                "updateType",
                "What to do with the list",
                Kind.CHOICE,
                choices=(("Full", "replace all of it"), ("Differential", "change some entries")),
                default="Full",
            ),
            Field(
                "listVersion",
                "Version of the list",
                Kind.WHOLE,
                "Higher than the version that the charger has.",
                least=1,
                most=2_147_483_647,
                default=1,
            ),
            Field(
                "localAuthorizationList",
                "Entries",
                Kind.ROWS,
                "An entry without a status is removed from the list; that is possible only where "
                "some entries are changed. Replace all of it without entries to empty the list.",
                required=False,
                fields=(
                    Field("idTag", "Id tag", Kind.TAG, longest=20, example="04A1B2C301"),
                    Field(
                        "idTagInfo.status",
                        "Status",
                        Kind.CHOICE,
                        required=False,
                        choices=STATUSES,
                        nothing="remove",
                        default="Accepted",
                    ),
                    Field("idTagInfo.expiryDate", "Valid until", Kind.MOMENT, required=False),
                    Field("idTagInfo.parentIdTag", "Group", required=False, longest=20),
                ),
            ),
        ),
        words="local authorization white list cards",
    ),
    CallForm(
        "local-list-version",
        "Ask for the version of its list",
        GROUP,
        "GetLocalListVersion",
        "0: the list is empty. -1: the charger keeps no list.",
        words="local authorization",
    ),
    CallForm(
        "clear-cache",
        "Forget remembered id tags",
        GROUP,
        "ClearCache",
        "The charger forgets which id tags it has let charge before (its authorization cache), "
        "and asks about each again.",
        words="authorization cache clear",
    ),
)
