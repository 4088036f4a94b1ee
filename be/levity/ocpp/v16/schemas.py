"""The schemas of OCPP 1.6, and what real chargers leave out or put in other forms."""

from collections.abc import Mapping

from levity.ocpp.wire.schema import Schemas

__all__ = ["SCHEMAS"]

# A charger that started offline and never got an id stops with null, or with none at all.
# Nothing of a MeterValues makes it senseless: a refusal makes a Vestel EVC04 leave every 25 s, and
# the good samples beside an odd one would be lost.
# A charger that names neither vendor nor model is served as one of an unknown make.
# A start without a meter value counts from its first sample; one without an id tag is a session
# whose payer is unknown, one without a connector may have only one where it can be.
# What has no time has ours, as it has where its time can't be read.
MAY_BE_ABSENT: Mapping[str, frozenset[str]] = {
    "BootNotification": frozenset({"chargePointVendor", "chargePointModel"}),
    "MeterValues": frozenset({"connectorId", "meterValue"}),
    "SecurityEventNotification": frozenset({"timestamp"}),
    "StartTransaction": frozenset({"connectorId", "idTag", "meterStart", "timestamp"}),
    "StatusNotification": frozenset({"errorCode"}),
    "StopTransaction": frozenset({"timestamp", "transactionId"}),
}
# Growatt THOR sends an object as DataTransfer.data: what is in it is the vendor's business.
# A session must not stay open because one of the samples at its end is broken. Huawei sends an
# object as meterValue, Vestel an empty sampledValue.
MAY_BE_ANYTHING: Mapping[str, frozenset[str]] = {
    "DataTransfer": frozenset({"data"}),
    "MeterValues": frozenset({"connectorId", "meterValue", "transactionId"}),
    "StartTransaction": frozenset({"connectorId", "idTag"}),
    "StopTransaction": frozenset({"transactionData"}),
}

SCHEMAS = Schemas(
    "v16",
    may_be_absent=MAY_BE_ABSENT,
    may_be_anything=MAY_BE_ANYTHING,
    # Tells nothing but that the charger lives, whatever stands in the place of its payload.
    tells_nothing="Heartbeat",
)
