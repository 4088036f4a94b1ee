"""Authorize (OCPP 1.6, 4.1)."""

from levity.ocpp.request import Response
from levity.ocpp.v16.actions.authorize import authorize
from tests.ocpp.states import request


def test_every_tag_may_charge_unless_a_middleware_says_otherwise() -> None:
    """The verdict is AuthorizeIdTags' business."""
    for tag in ("TAG", "", "x" * 300):
        assert authorize(request("Authorize", {"idTag": tag})) == Response(
            {"idTagInfo": {"status": "Accepted"}}
        )
