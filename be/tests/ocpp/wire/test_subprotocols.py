"""The name under which a charger offers OCPP 1.6 is the name in the answer."""

import pytest

from levity.ocpp.wire.subprotocols import spoken


@pytest.mark.parametrize(
    ("offered", "name"),
    [
        (["ocpp1.6"], "ocpp1.6"),
        (["ocpp2.0.1", "ocpp1.6"], "ocpp1.6"),
        (["OCPP1.6"], "OCPP1.6"),
        (["ocpp1.6j"], "ocpp1.6j"),
        (["ocpp16", "OCPP1.6J"], "ocpp16"),
        # The standard's own name goes before others, wherever it stands.
        (["ocpp1.6-J", "ocpp1.6"], "ocpp1.6"),
        (["ocpp2.0.1", "ocpp1.5", "ocpp1.60", ""], ""),
        ([], ""),
    ],
)
def test_the_name_that_was_offered_is_answered(offered: list[str], name: str) -> None:
    assert spoken(offered) == name
