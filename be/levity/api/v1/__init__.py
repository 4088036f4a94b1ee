"""Version 1: one module for each resource, found by its `router`.

A change that breaks clients goes into a `v2` beside it.
"""

import json
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path
from ninja import Router

from levity.api.kit.api import LevityApi
from levity.api.people import has_accounts

__all__ = ["api", "openapi", "urlpatterns"]

USERS = "users"
"""Who manages users by the API: only where they are Levity's own accounts."""


def _with_all_resources() -> LevityApi:
    made = LevityApi()
    for found in sorted(iter_modules(__path__), key=lambda module: module.name):
        if found.name == USERS and not has_accounts():
            continue
        router: Router = import_module(f"{__name__}.{found.name}").router
        made.add_router("", router)
    return made


api = _with_all_resources()


@cache
def _document() -> bytes:
    return json.dumps(api.document(), ensure_ascii=False).encode()


def openapi(request: HttpRequest) -> HttpResponse:
    """The schema, for everybody: it says nothing about this installation."""
    response = HttpResponse(_document(), content_type="application/json")
    response["Access-Control-Allow-Origin"] = "*"
    return response


urlpatterns: list[URLPattern | URLResolver] = [
    path("openapi.json", openapi, name="openapi"),
    *(
        pattern
        for pattern in api.urls[0]
        if not (isinstance(pattern, URLPattern) and pattern.name == "api-root")
    ),
]
