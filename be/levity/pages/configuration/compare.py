"""Two chargers side by side, or a charger and what a template wants."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from levity.ocpp.decisions.configuration import values_of
from levity.ocpp.models import ChargePoint, ConfigurationKey, ConfigurationTemplate
from levity.ocpp.rules.configuration import KeyInfo, same_value
from levity.ocpp.versions import V16
from levity.ocpp.visibility import visible
from levity.pages.chargers.csv_export import cell, streamed_csv
from levity.pages.configuration.rows import PAGE, shown_value
from levity.pages.kit.formats import excerpt
from levity.pages.site import site
from levity_ws.frozen import frozen

__all__ = ["Pair", "compare_urls", "pairs"]

LISTED = 500
"""Identities that the boxes offer; any other can be typed."""


@frozen
class Pair:
    """A key, and what it is on either side; None: not there."""

    key: str
    info: KeyInfo | None
    left: str | None
    right: str | None
    has_left: bool
    has_right: bool

    @property
    def differs(self) -> bool:
        """True unless both mean the same."""
        if not self.has_left or not self.has_right:
            return self.has_left or self.has_right
        return not same_value(self.info, self.left, self.right)


def compare_urls() -> list[URLPattern]:
    """The page; with `format=csv` the file."""
    return [path("compare/", site.admin_view(compare_view), name=f"{PAGE}_compare")]


def pairs(left: dict[str, str | None], right: dict[str, str | None]) -> list[Pair]:
    """All keys of both, those that differ first."""
    spelled = {key.lower(): key for side in (right, left) for key in side}
    one = {key.lower(): value for key, value in left.items()}
    two = {key.lower(): value for key, value in right.items()}
    found = [
        Pair(
            key,
            V16.configuration.about(key),
            one.get(name),
            two.get(name),
            name in one,
            name in two,
        )
        for name, key in spelled.items()
    ]
    return sorted(found, key=lambda pair: (not pair.differs, pair.key.lower()))


def compare_view(request: HttpRequest) -> HttpResponseBase:
    """Choose two, and see them."""
    user: Any = request.user
    if not user.has_perm("ocpp.view_configurationkey"):
        raise PermissionDenied
    rows = visible(ChargePoint.objects.filter(retired_at=None), user)
    templates = visible(ConfigurationTemplate.objects.all(), user)
    if not user.has_perm("ocpp.view_configurationtemplate"):
        templates = templates.none()
    said = {name: request.GET.get(name, "").strip()[:100] for name in ("left", "right")}
    sides = {name: _side(text, rows, templates) for name, text in said.items()}
    missing = [text for name, text in said.items() if text and sides[name] is None]
    left, right = sides["left"], sides["right"]
    found = pairs(left[1], right[1]) if left and right else []
    if left and right and request.GET.get("format") == "csv":
        return streamed_csv(_csv(left[0], right[0], found), "configuration-compared")
    context = {
        **site.each_context(request),
        "opts": ConfigurationKey._meta,
        "title": "Compare configurations",
        "said": said,
        "missing": missing,
        "names": rows.order_by("identity").values_list("identity", flat=True)[:LISTED],
        "templates": templates.values_list("name", flat=True),
        "left": left[0] if left else "",
        "right": right[0] if right else "",
        "differing": sum(pair.differs for pair in found),
        "pairs": [_shown(pair) for pair in found],
        "is_chosen": bool(left and right),
    }
    return TemplateResponse(request, "levity/configuration_compare.html", context)


def _side(text: str, rows: Any, templates: Any) -> tuple[str, dict[str, str | None]] | None:
    """(name, values) of the charger or template that is called so."""
    if not text:
        return None
    charger = rows.filter(identity__iexact=text).first()
    if charger is not None:
        return charger.identity, values_of(charger, spelled=True)
    template = templates.filter(name=text).first()
    return (f"template {template.name}", dict(template.values)) if template is not None else None


def _shown(pair: Pair) -> dict[str, Any]:
    unit = pair.info.unit if pair.info is not None else ""
    return {
        "key": pair.key,
        "about": pair.info.meaning if pair.info is not None else "",
        "left": excerpt(shown_value(pair.left, unit), 300) if pair.has_left else "not there",
        "right": excerpt(shown_value(pair.right, unit), 300) if pair.has_right else "not there",
        "differs": pair.differs,
    }


def _csv(left: str, right: str, found: list[Pair]) -> Iterator[list[str]]:
    yield ["key", cell(left), cell(right), "unit", "differs"]
    for pair in found:
        yield [
            cell(pair.key),
            cell((pair.left or "") if pair.has_left else "not there"),
            cell((pair.right or "") if pair.has_right else "not there"),
            pair.info.unit if pair.info is not None else "",
            str(pair.differs).lower(),
        ]
