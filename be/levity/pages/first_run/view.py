"""The page that leads through the first steps. Each can be skipped, and the page left for good."""

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from levity.ocpp.deciding import Refused
from levity.ocpp.decisions.installation import end_first_run
from levity.pages.first_run.charger import seen
from levity.pages.first_run.steps import Step, steps_of
from levity.pages.kit import live
from levity.pages.site import site

__all__ = ["NAME", "STEP", "first_run_view"]

NAME, STEP = "levity:first_run", "levity:first_step"


def first_run_view(request: HttpRequest, name: str = "") -> HttpResponse:
    """The step of this name, or the first one to do; POST answers it, or (`end`) ends all."""
    steps = steps_of(request.user)
    if not steps:
        raise PermissionDenied
    if request.method == "POST" and "end" in request.POST:
        end_first_run(request.user)
        return redirect("levity:index")
    done = {step.name for step in steps if step.is_done(request)}
    if not name:
        first = next((step for step in steps if step.name not in done), steps[-1])
        name = first.name
    at = next((place for place, step in enumerate(steps) if step.name == name), None)
    if at is None:
        raise Http404("there is no such step")
    step, following = steps[at], steps[at + 1] if at + 1 < len(steps) else None
    if live.wants_changes(request):
        return _changes(request, step)
    shown = None
    if request.method == "POST":
        try:
            shown = step.answer(request)
        except Refused as error:
            messages.error(request, error.sentence)
            shown = step.shown(request)
        if shown is None:
            return _on(request, step, following)
    context = {
        **site.each_context(request),
        "title": _("First steps"),
        "steps": [
            {"step": each, "is_done": each.name in done, "is_now": each is step} for each in steps
        ],
        "step": step,
        "number": at + 1,
        "following": following,
        "may_end": request.user.is_superuser,
        "live_every": 2 if step.name == "charger" else 0,
        "live_now": live.now_of_browsers(),
        **(shown or step.shown(request)),
    }
    return TemplateResponse(request, "levity/first_run/page.html", context)


def _on(request: HttpRequest, step: Step, following: Step | None) -> HttpResponse:
    answer = redirect(STEP, following.name) if following else redirect(NAME)
    language = request.POST.get("language", "")
    if step.name == "local" and language in dict(settings.LANGUAGES):
        # Whoever chooses it wants to see it, whatever the browser says.
        answer.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=settings.LANGUAGE_COOKIE_AGE,
            samesite="Lax",
        )
    return answer


def _changes(request: HttpRequest, step: Step) -> HttpResponse:
    if step.name != "charger":
        return live.changed_page(request, {}, every=0)
    part = live.rendered("levity/first_run/charger_live.html", seen(request), request)
    return live.changed_page(request, {"lv-arrived": part}, every=2)
