"""A front each, once per module: certificates take their time."""

from collections.abc import Iterator

import pytest

from tests.deploy.front import Backends, Front, front


@pytest.fixture(scope="module")
def tls_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Front, Backends]]:
    with front(tmp_path_factory.mktemp("tls"), tls=True) as both:
        yield both


@pytest.fixture(scope="module")
def plain_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Front, Backends]]:
    with front(tmp_path_factory.mktemp("plain"), tls=False) as both:
        yield both
