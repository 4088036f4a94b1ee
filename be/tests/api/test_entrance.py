"""The way in: nothing is imported before it is needed, and every error is a problem."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client, override_settings

from levity.api.problems import CONTENT_TYPE
from levity.ocpp.models import Site
from tests.api.conftest import Caller

LAZILY = """
import sys, django
from django.conf import settings
settings.ALLOWED_HOSTS = ["*"]
django.setup()
from django.test import Client
from django.urls import get_resolver
heavy = lambda: sorted({name.partition(".")[0] for name in sys.modules} & {"ninja", "pydantic"})
get_resolver().url_patterns
print(Client().get("/admin/login/").status_code, Client().get("/api/docs").status_code, heavy())
print(Client().get("/api/v1/openapi.json").status_code, heavy())
"""


@pytest.mark.slow
def test_ninja_is_imported_with_the_first_request_to_the_api(tmp_path: Any) -> None:
    """`make run` idle stays below 160 MB."""
    done = subprocess.run(
        [sys.executable, "-c", LAZILY],
        capture_output=True,
        text=True,
        check=True,
        env={
            "DJANGO_SETTINGS_MODULE": "levity.settings",
            "LEVITY_DATA_DIR": str(tmp_path),
            "PATH": "",
            "SECRET_KEY": "of-no-value" * 5,
        },
    )
    assert done.stdout.splitlines() == ["200 200 []", "200 ['ninja', 'pydantic']"], done.stderr


def is_problem(response: Any, status: int) -> dict[str, Any]:
    assert (response.status_code, response["Content-Type"]) == (status, CONTENT_TYPE)
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert {"type", "title", "detail"} <= set(body)
    assert body["detail"].endswith((".", "!", "?"))
    return body


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "nothing", 404),
        ("GET", "sites/999", 404),
        ("GET", "charge-points/a%0Ab", 404),
        ("GET", "sites/0", 422),
        ("GET", "sites/a", 422),
        ("GET", f"sites/{10**30}", 422),
        ("DELETE", "sites", 405),
        ("BREW", "sites", 405),
        ("GET", "sites?limit=0", 422),
        ("GET", "sites?order_by=name", 422),
        ("GET", "sites?cursor=x", 422),
        ("GET", "sites?cursor=W3RydWVd", 422),
        ("GET", "sites?cursor=%00", 400),
        ("GET", "%00", 400),
    ],
)
def test_what_is_wrong_is_a_problem(
    caller: Callable[..., Caller], method: str, path: str, status: int
) -> None:
    is_problem(caller()(method, path), status)


def test_an_unknown_parameter_is_named(caller: Callable[..., Caller]) -> None:
    body = is_problem(caller()("GET", "sites?order_by=name"), 422)
    assert body["detail"] == "Unknown parameter: order_by."
    assert body["errors"] == [{"where": "query.order_by", "message": "unknown parameter"}]


def test_a_method_that_is_not_supported_says_which_are(caller: Callable[..., Caller]) -> None:
    assert set(caller()("DELETE", "sites")["Allow"].split(", ")) == {"GET", "POST"}


@pytest.mark.django_db
def test_a_host_that_is_not_ours_is_a_problem() -> None:
    is_problem(Client(headers={"host": "elsewhere.example"}).get("/api/v1/sites"), 400)


def test_an_error_of_ours_says_nothing_of_its_traceback(
    caller: Callable[..., Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any) -> Any:
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr(Site._meta.default_manager.__class__, "all", fails)
    with override_settings(DEBUG=True):
        response = caller()("GET", "sites")
    is_problem(response, 500)
    assert "secret" not in response.content.decode()


def test_head_is_answered_as_get(caller: Callable[..., Caller]) -> None:
    assert caller()("HEAD", "sites").status_code == 200


@pytest.mark.django_db
def test_documentation_and_schema_are_there_for_everybody() -> None:
    schema = Client().get("/api/v1/openapi.json").json()
    assert schema["openapi"] == "3.1.0"
    page = Client().get("/api/docs")
    assert page.status_code == 200
    assert "unsafe-inline" not in page["Content-Security-Policy"].split("style-src")[0]
    assert b"://" not in page.content.replace(b"http://www.w3.org", b"")


def test_operation_ids_are_unique() -> None:
    from levity.api.v1 import api

    names = [
        operation["operationId"]
        for methods in api.document()["paths"].values()
        for operation in methods.values()
    ]
    assert sorted(names) == sorted(set(names))
