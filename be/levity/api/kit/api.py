"""The API object: errors as problems, strict JSON, and an OpenAPI schema that says all of it."""

from http import HTTPStatus
from typing import Any

import orjson
from django.core.exceptions import ValidationError as InvalidRow
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.operation import Operation
from ninja.parser import Parser
from pydantic.json_schema import models_json_schema

from levity.api.kit.auth import AUTHENTICATION
from levity.api.kit.schemas import ProblemDetails
from levity.api.kit.wrong_values import place_of, sentence_of, what_is_wrong
from levity.api.problems import CONTENT_TYPE, Problem, answer_to, problem
from levity_ws import __version__

__all__ = ["PREFIX", "LevityApi"]

PREFIX = "api/v1/"
# Every operation may answer with these (404: what an address, a filter or a body names is not
# there, or not for this principal to see); those below, if it changes something, or has a body.
ALWAYS = (400, 401, 403, 404, 405, 422, 429, 500, 503)
CHANGING = (409, 412)
WITH_A_BODY = (413,)
NUL = "\0"


class StrictJson(Parser):
    """JSON as RFC 8259 has it: no NaN, no lone surrogates; and nothing that can't be stored."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The body as values."""
        try:
            found = orjson.loads(request.body)
        except orjson.JSONDecodeError as error:
            raise _unreadable(request, 400, f"The body is not valid JSON: {error}") from error
        if b"\\u0000" in request.body and _has_nul(found):
            said = "The body contains a NUL character, which can't be stored."
            raise _unreadable(request, 422, said)
        return found


def _unreadable(request: HttpRequest, status: int, detail: str) -> Problem:
    """To raise. ninja makes its own error of it, so the request keeps it for `_http_error`."""
    request.unreadable = found = Problem(status, detail)  # type: ignore[attr-defined]
    return found


def _has_nul(value: Any) -> bool:
    match value:
        case str():
            return NUL in value
        case dict():
            return any(_has_nul(key) or _has_nul(each) for key, each in value.items())
        case list():
            return any(_has_nul(each) for each in value)
    return False


class LevityApi(NinjaAPI):
    """ninja, with the habits of this API."""

    def __init__(self) -> None:
        super().__init__(
            title="Levity",
            version="1",
            description=(
                f"The REST API of Levity {__version__}. Times are UTC; exact numbers are strings; "
                "units are in the names. Errors are problems as in RFC 9457."
            ),
            openapi_url=None,
            docs_url=None,
            auth=AUTHENTICATION,
            urls_namespace="levity_api",
            parser=StrictJson(),
        )
        self.add_decorator(_knowing_its_operation, mode="view")
        self.add_exception_handler(Exception, _any_error)
        self.add_exception_handler(ValidationError, _unfit)
        self.add_exception_handler(HttpError, _http_error)
        self.add_exception_handler(InvalidRow, _invalid_row)

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The name of the function: unique, and the name in generated clients."""
        return operation.view_func.__name__

    def create_temporal_response(self, request: HttpRequest) -> HttpResponse:
        """Called after authentication: here, unknown parameters are refused."""
        known: set[str] = request.known_parameters  # type: ignore[attr-defined]
        if unknown := sorted(set(request.GET) - known):
            raise Problem(
                422,
                f"Unknown parameter: {', '.join(unknown)[:200]}.",
                errors=[
                    {"where": f"query.{name[:100]}", "message": "unknown parameter"}
                    for name in unknown[:10]
                ],
            )
        return super().create_temporal_response(request)

    def document(self) -> dict[str, Any]:
        """The OpenAPI schema."""
        schema: dict[str, Any] = dict(self.get_openapi_schema(path_prefix=PREFIX))
        schema.pop("servers", None)
        _, definitions = models_json_schema(
            [(ProblemDetails, "serialization")], ref_template="#/components/schemas/{model}"
        )
        schema["components"]["schemas"].update(definitions["$defs"])
        for methods in schema["paths"].values():
            for method, operation in methods.items():
                _document_problems(operation, changes=method != "get")
        for model in schema["components"]["schemas"].values():
            for field in model.get("properties", {}).values():
                _without_wrong_default(field)
        schema["components"]["schemas"] = dict(sorted(schema["components"]["schemas"].items()))
        return schema


def _document_problems(operation: dict[str, Any], *, changes: bool) -> None:
    statuses = [*ALWAYS, *(CHANGING if changes else ())]
    if "requestBody" in operation:
        statuses += WITH_A_BODY
    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    for parameter in operation["parameters"]:
        _without_null(parameter["schema"])
    responses = {str(status): details for status, details in operation["responses"].items()}
    for status in statuses:
        responses.setdefault(
            str(status), {"description": HTTPStatus(status).phrase, "content": content}
        )
    operation["responses"] = dict(sorted(responses.items()))


def _without_wrong_default(schema: dict[str, Any]) -> None:
    """What may be left out of a change may not be null all the same."""
    if schema.get("default", ...) is None and {"type": "null"} not in schema.get("anyOf", ()):
        del schema["default"]


def _without_null(schema: dict[str, Any]) -> None:
    """A parameter is left out, but never null."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) == 1:
        del schema["anyOf"]
        schema.update(kinds[0])


def _knowing_its_operation(run: Any) -> Any:
    """Write down which parameters the operation of this request knows."""
    operation: Operation = run.__self__
    known: set[str] = set()
    for model in operation.models:
        if model.__ninja_param_source__ == "query":
            known |= set(getattr(model, "__ninja_flatten_map__", {}))

    def run_it(request: HttpRequest, **values: Any) -> Any:
        request.known_parameters = known  # type: ignore[attr-defined]
        return run(request, **values)

    return run_it


def _any_error(request: HttpRequest, error: Any) -> HttpResponse:
    return answer_to(error, request)


def _unfit(request: HttpRequest, error: Any) -> HttpResponse:
    found = error.errors[:50]
    errors = [{"where": place_of(each), "message": what_is_wrong(each)} for each in found]
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    return problem(422, f"{sentence_of(found[0])}{more}", errors=errors)


def _http_error(request: HttpRequest, error: Any) -> HttpResponse:
    if unreadable := getattr(request, "unreadable", None):
        return answer_to(unreadable, request)
    return problem(error.status_code, "" if error.status_code == 401 else str(error))


def _invalid_row(request: HttpRequest, error: Any) -> HttpResponse:
    """What a model says of its own values."""
    if hasattr(error, "error_dict"):
        found = [
            {"where": "body" if name == "__all__" else f"body.{name}", "message": text}
            for name, texts in error.message_dict.items()
            for text in texts
        ]
    else:
        found = [{"where": "body", "message": text} for text in error.messages]
    return problem(422, " ".join(each["message"] for each in found), errors=found)
