"""What values of configuration keys mean, and which fit."""

import pytest

from levity.ocpp.rules.configuration import same_value, wrong_with
from levity.ocpp.v16.configuration import KEYS, about, danger


@pytest.mark.parametrize(
    ("key", "one", "other", "same"),
    [
        ("LocalPreAuthorize", "True", "true", True),
        ("LocalPreAuthorize", "1", "true", True),
        ("LocalPreAuthorize", "false", "true", False),
        ("HeartbeatInterval", "300", "300.0", True),
        ("HeartbeatInterval", "300", "60", False),
        ("MeterValuesSampledData", "Voltage, SoC", "SoC,Voltage", True),
        ("MeterValuesSampledData", "Voltage", "SoC,Voltage", False),
        ("SecurityProfile", "1", "1 ", True),
        ("VendorKey", "a", "A", False),
        ("VendorKey", "a", " a", True),
        ("VendorKey", None, "", False),
        ("VendorKey", None, None, True),
    ],
)
def test_texts_that_mean_the_same(key: str, one: str | None, other: str | None, same: bool) -> None:
    assert same_value(about(key), one, other) is same


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("HeartbeatInterval", "60", ""),
        ("HeartbeatInterval", "60.5", "it is a whole number of s"),
        ("HeartbeatInterval", "-1", "it is at least 0 s"),
        ("HeartbeatInterval", "often", "it is a whole number of s"),
        ("LightIntensity", "101", "it is at most 100 %"),
        ("LocalPreAuthorize", "maybe", "it is true or false"),
        ("SecurityProfile", "4", "it is one of 0, 1, 2, 3"),
        ("VendorKey", "anything", ""),
        ("VendorKey", "x" * 501, "a value has at most 500 characters, and this one has 501"),
        (
            "MeterValuesSampledData",
            "Voltage,SoC,RPM",
            "this charger accepts at most 2 entries (MeterValuesSampledDataMaxLength), not 3",
        ),
        ("MeterValuesSampledData", "Voltage,Vendor.Measurand", ""),
    ],
)
def test_what_is_wrong_with_a_value(key: str, value: str, said: str) -> None:
    assert wrong_with(about(key), value, {"metervaluessampleddatamaxlength": "2"}) == said


def test_the_keys_of_the_standard_are_all_there() -> None:
    """OCPP 1.6, chapter 9: 33 + 1 of Core, 3 of the list, 1 of reservations, 5 of smart charging;
    and the security whitepaper's."""
    groups = [info.group for info in KEYS]
    assert {name: groups.count(name) for name in dict.fromkeys(groups)} == {
        "Core": 34,
        "Local list": 3,
        "Reservation": 1,
        "Smart charging": 5,
        "Firmware": 1,
        "Security": 6,
    }
    assert len({info.key.lower() for info in KEYS}) == len(KEYS)
    names = {info.key for info in KEYS}
    assert {info.limit_key for info in KEYS if info.limit_key} <= names


@pytest.mark.parametrize(
    "key",
    ["CentralSystemURL", "backend_url", "WifiSSID", "GPRSApn", "MaxCurrentLimit", "WifiPassword"],
)
def test_vendor_keys_that_cut_a_charger_off_have_a_warning(key: str) -> None:
    assert danger(key)


@pytest.mark.parametrize("key", ["HeartbeatInterval", "DisplayLanguage", "MeterValuesSampledData"])
def test_harmless_keys_have_none(key: str) -> None:
    assert danger(key) == ""
