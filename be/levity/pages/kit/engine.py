"""The template engine of Levity's pages: the host project's own pages never see its templates.

unfold's templates have the names of Django's admin (`admin/base.html`). They are found here first,
and in the project's own engines only where the project puts unfold before Django's admin.
"""

from collections.abc import Callable, Sequence
from functools import cache, wraps
from pathlib import Path
from typing import Any

import unfold
import unfold.contrib.filters
from django.http import HttpResponse
from django.template import TemplateDoesNotExist
from django.template.backends.django import DjangoTemplates
from django.template.response import SimpleTemplateResponse

__all__ = ["engine", "template", "with_own_templates"]

PAGES = Path(__file__).resolve().parents[1]
CONTEXT = (
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
)


@cache
def engine() -> DjangoTemplates:
    """Made once a process."""
    packages = [Path(package.__path__[0]) for package in (unfold, unfold.contrib.filters)]
    return DjangoTemplates(
        {
            "NAME": "levity",
            "DIRS": [PAGES / "templates", *(package / "templates" for package in packages)],
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": list(CONTEXT),
                "builtins": ["levity.pages.kit.once"],
            },
        }
    )


def template(names: str | Sequence[str]) -> Any:
    """The first of these templates that there is; `TemplateDoesNotExist` if there is none."""
    tried: list[str] = []
    for name in [names] if isinstance(names, str) else names:
        try:
            return engine().get_template(name)
        except TemplateDoesNotExist as error:
            # One that is there and extends one that is not is a fault to be seen.
            if error.args[0] != name:
                raise
            tried.append(name)
    raise TemplateDoesNotExist(", ".join(tried))


def with_own_templates(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """This view, with its page's template from this engine."""

    @wraps(view)
    def inner(*args: Any, **kwargs: Any) -> HttpResponse:
        answer = view(*args, **kwargs)
        if isinstance(answer, SimpleTemplateResponse) and not answer.is_rendered:
            names = answer.template_name
            if isinstance(names, str | list | tuple):
                answer.template_name = template(names)
        return answer

    return inner
