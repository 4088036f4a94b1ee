"""Whatever the field plays, an extension bills it: no change of a session is missed."""

from collections.abc import Iterator

import pytest

from tests.ocpp.extension import billing


@pytest.fixture(autouse=True)
def billed(request: pytest.FixtureRequest) -> Iterator[None]:
    """`tests.ocpp.extension.billing` listens, and agrees with the ledger in the end."""
    if request.node.get_closest_marker("django_db") is None:
        yield
        return
    settings = request.getfixturevalue("settings")
    request.getfixturevalue("db")
    billing.make_table()
    settings.OCPP_SESSIONS_CHANGED = [billing.BILL]
    yield
    billing.agree()
