"""Lists and pages of rows that renew themselves: see levity/pages/kit/live.py."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR, PAGE_VAR, ChangeList
from django.core.exceptions import PermissionDenied
from django.forms import Media
from django.http import HttpRequest, HttpResponse
from django.utils.html import conditional_escape

from levity.pages.kit import live
from levity.pages.kit.empty import meaning
from levity.pages.kit.history import Audited

__all__ = ["LiveAdmin"]


class LiveAdmin(Audited):
    """What its pages show is renewed while they are looked at."""

    change_list_template = "levity/change_list.html"
    change_form_template = "levity/change_form.html"
    empty_template = "levity/empty_list.html"
    # Parts of the page of one row, by the id of their element.
    live_parts: dict[str, str] = {}

    @property
    def media(self) -> Media:
        """With our own script for ticks: Django's forgets rows that came later."""
        usual = super().media
        # Django has no other way to leave a script out.
        scripts = [path for path in usual._js if "admin/js/actions.js" not in str(path)]  # noqa: SLF001
        return Media(css=usual._css, js=[*scripts, "levity/selection.js"])  # noqa: SLF001

    def list_every(self, request: HttpRequest, changes: ChangeList) -> float:
        """Seconds until this list is renewed; less where somebody waits for what it shows."""
        return live.EVERY

    def page_every(self, request: HttpRequest, row: Any) -> float:
        """Seconds until the page of this row is renewed; 0: nothing changes there any more."""
        return live.EVERY

    def parts_of(self, request: HttpRequest) -> dict[str, str]:
        """The parts of the page that this request is about."""
        return self.live_parts

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, or what has changed in it."""
        if live.wants_changes(request) and request.method == "GET":
            return self._changed_list(request)
        answer = super().changelist_view(request, extra_context)
        context = getattr(answer, "context_data", None)
        if context and (changes := context.get("cl")) is not None:
            context["live_every"] = self.list_every(request, changes)
            context["live_order"] = live.order_of(changes)
            context["live_now"] = live.now_of_browsers()
            context["when_empty"] = meaning(self.opts.label_lower, _filters(request))
        return answer

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The page of a row, or what has changed on it."""
        row = kwargs.get("obj")
        if row is not None:
            context["live_every"] = self.page_every(request, row)
            context["live_now"] = live.now_of_browsers()
            if live.wants_changes(request) and request.method == "GET":
                whole = {**context, "original": row}
                parts = {
                    name: live.rendered(template, whole, request)
                    for name, template in self.parts_of(request).items()
                }
                return live.changed_page(
                    request, parts, _fields(context["adminform"]), context["live_every"]
                )
        return super().render_change_form(request, context, *args, **kwargs)

    def _changed_list(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        try:
            changes = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return live.changed_page(request, {}, every=0)
        count = live.rendered("levity/count.html", {"cl": changes}, request)
        return live.changed_list(
            request, changes, {"lv-count": count}, self.list_every(request, changes)
        )


def _filters(request: HttpRequest) -> dict[str, str]:
    """What the list is limited to: neither how it is sorted nor which page it is."""
    about_the_list = {ORDER_VAR, PAGE_VAR, ERROR_FLAG}
    return {
        name: value
        for name, value in request.GET.dict().items()
        if value and name not in about_the_list
    }


def _fields(form: Any) -> Iterator[str]:
    """What the read-only fields of this form show, in their order, as unfold's template does."""
    for fieldset in form:
        for line in fieldset:
            for field in line:
                if getattr(field, "is_readonly", False):
                    shown = field.contents()
                    yield "-" if shown in ("", "None") else conditional_escape(shown)
