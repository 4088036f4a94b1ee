"""Every operation that the schema has, with keys and bodies: those that come later, too."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib.auth.models import User
from django.db.models import JSONField, Model

from levity.api.v1 import api
from levity.billing.models import (
    Assignment,
    Creditor,
    Debtor,
    DirectDebit,
    Household,
    Issuer,
    Statement,
    StatementRun,
    Tariff,
    TariffUse,
)
from levity.files.models import Campaign, StoredFile
from levity.integrations.models import Webhook
from levity.monitoring.models import Alert, AlertRule
from levity.ocpp.models import (
    ChargePoint,
    ChargePointCertificate,
    Command,
    ConfigurationTemplate,
    FileJob,
    IdTag,
    InstalledCertificate,
    InstalledProfile,
    MassCommand,
    Message,
    MeterKey,
    QuarantinedMessage,
    RefusedHandshake,
    Reservation,
    Site,
    TemplateAssignment,
    Transaction,
)
from tests.pages.whole.rows import one_of_each, row_of

__all__ = ["KEYS", "Operation", "operations", "rows_for_the_api"]

# What has no page in the admin.
ONLY_HERE: tuple[type[Model], ...] = (*(Creditor, Debtor, DirectDebit, StoredFile),)
# The parameter of an address -> whose key it is. Resources with keys of their own add theirs.
KEYS: dict[str, tuple[type[Model], str]] = {
    "identity": (ChargePoint, "identity"),
    "alert_id": (Alert, "pk"),
    "assignment_id": (Assignment, "pk"),
    "campaign_id": (Campaign, "pk"),
    "file_id": (StoredFile, "pk"),
    "job_id": (FileJob, "pk"),
    "mass_command_id": (MassCommand, "pk"),
    "template_id": (ConfigurationTemplate, "pk"),
    "user_id": (User, "pk"),
    "webhook_id": (Webhook, "pk"),
    "debit_id": (DirectDebit, "pk"),
    "command_id": (Command, "pk"),
    "handshake_id": (RefusedHandshake, "pk"),
    "household_id": (Household, "pk"),
    "issuer_id": (Issuer, "pk"),
    "rule_id": (AlertRule, "pk"),
    "message_id": (QuarantinedMessage, "pk"),
    "meter_key_id": (MeterKey, "pk"),
    "certificate_id": (ChargePointCertificate, "pk"),
    "profile_id": (InstalledProfile, "pk"),
    "reservation_id": (Reservation, "pk"),
    "site_id": (Site, "pk"),
    "statement_id": (Statement, "pk"),
    "tariff_id": (Tariff, "pk"),
    "use_id": (TariffUse, "pk"),
    "run_id": (StatementRun, "pk"),
    "tag_id": (IdTag, "pk"),
    "transaction_id": (Transaction, "pk"),
    "trusted_id": (InstalledCertificate, "pk"),
}
# Two resources call their key the same.
ELSEWHERE: dict[str, tuple[type[Model], str]] = {
    "/messages/{message_id}": (Message, "pk"),
    "/configuration/assignments/{assignment_id}": (TemplateAssignment, "pk"),
}
# What is no key of a row.
WORDS = {"key": "HeartbeatInterval", "what": "pause"}
KINDS = {"statements": "csv", "runs": "xrechnung"}


@dataclass(frozen=True)
class Operation:
    """One method of one address."""

    name: str
    method: str
    template: str
    body: Any
    is_page: bool

    def path(self, rows: Mapping[type[Model], Model]) -> str | None:
        """The address with the keys of these rows; None if it is not known whose they are."""
        path = self.template
        for name in re.findall(r"{(\w+)}", path):
            end = self.template.removeprefix("/api/v1")
            word = KINDS[path.split("/")[4]] if name == "kind" else WORDS.get(name)
            if word is not None:
                path = path.replace(f"{{{name}}}", word)
                continue
            known = ELSEWHERE.get(end) or KEYS.get(name)
            if known is None or known[0] not in rows:
                return None
            path = path.replace(f"{{{name}}}", str(getattr(rows[known[0]], known[1])))
        return path


def rows_for_the_api(text: str, number: int, **given: Model) -> dict[type[Model], Model]:
    """`one_of_each`, with JSON of the shape that its column has: a list, or an object."""
    rows = one_of_each(text, number, **given)
    for model in ONLY_HERE:
        row_of(model, text, number, rows, given)
    # Of one thing each, where `row_of` fills in all.
    rows[Assignment] = Assignment.objects.create(
        household=rows[Household], id_tag=f"{number}{text}", first_day=date(2026, 1, 1)
    )
    rows[TemplateAssignment] = TemplateAssignment.objects.create(
        template=rows[ConfigurationTemplate], charge_point=rows[ChargePoint]
    )
    StoredFile.objects.filter(pk=rows[StoredFile].pk).update(path=f"uploads/{text}{number}")
    DirectDebit.objects.filter(pk=rows[DirectDebit].pk).update(content=text.encode())
    for row in rows.values():
        shaped = {
            field.name: field.get_default()
            for field in row._meta.concrete_fields
            if isinstance(field, JSONField)
            and field.has_default()
            and str(field) != "billing.Statement.document"
        }
        if shaped:
            type(row)._default_manager.filter(pk=row.pk).update(**shaped)
    return rows


def operations() -> Iterator[Operation]:
    """All of them."""
    document = api.document()
    for template, methods in document["paths"].items():
        for method, found in methods.items():
            body = found.get("requestBody", {}).get("content", {}).get("application/json", {})
            schema = body.get("schema")
            answer = found["responses"].get("200", {}).get("content", {})
            shown = str(answer.get("application/json", {}).get("schema", {}).get("$ref", ""))
            yield Operation(
                found["operationId"],
                method.upper(),
                template,
                None if schema is None else _sample(schema, document),
                "cursor" in {each["name"] for each in found["parameters"]} and bool(shown),
            )


def _sample(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Any:
    """The smallest value that fits this schema."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _sample(document["components"]["schemas"][name], document)
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return _sample(schema[several][0], document)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            required = schema.get("required", ())
            properties = schema.get("properties", {})
            return {name: _sample(properties[name], document) for name in required}
        case "array":
            return [_sample(schema["items"], document)] * schema.get("minItems", 0)
        case "string" if schema.get("format") == "date-time":
            return "2026-11-22T12:00:00Z"
        case "string":
            return "x" * max(1, schema.get("minLength", 1))
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
    return None
