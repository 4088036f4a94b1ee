"""Clients of the API, with tokens and sessions."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from levity.api.models import ApiToken
from levity.api.tokens import create_token
from tests.pages.whole.conftest import browser, person, root, said_quietly

__all__ = ["Caller", "browser", "person", "root", "said_quietly"]

V1 = "/api/v1"


class Caller:
    """A program with a token, or without."""

    def __init__(self, token: str = "", row: ApiToken | None = None) -> None:
        self.token, self.row = token, row
        self.browser = Client(raise_request_exception=False)

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: dict[str, Any] | None = None,
        **headers: str,
    ) -> HttpResponse:
        """Ask; `body` is sent as JSON."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        return self.browser.generic(
            method,
            path if path.startswith("/") else f"{V1}/{path}",
            b"" if body is None else json.dumps(body).encode(),
            content_type="application/json",
            query_params=query,
            headers=headers,
        )

    def get(self, path: str, **query: Any) -> Any:
        """The answer to a GET as values."""
        response = self("GET", path, query=query)
        assert response.status_code == 200, response.content
        return response.json()


@pytest.fixture
def caller(db: None) -> Callable[..., Caller]:
    """Makes a program with a token of its own."""

    def make(scope: str = "admin", who: Any = None, **options: Any) -> Caller:
        row, token = create_token("tests", scope, who, **options)
        return Caller(token, row)

    return make


@pytest.fixture(autouse=True)
def nobody_waits() -> None:
    """Each test begins with full buckets."""
    from levity.api.kit.auth import GUESSES, THROTTLE

    THROTTLE.clear()
    GUESSES.clear()
