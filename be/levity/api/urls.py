"""Everything below /api/: one view, which imports the API when it is first called."""

from django.urls import path, re_path
from django.views.generic import RedirectView

from levity.api.documentation import documentation
from levity.api.entrance import entrance

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="api_docs")),
    path("docs", documentation, name="api_docs"),
    path("docs/", RedirectView.as_view(pattern_name="api_docs")),
    # (Everything: a line break in an address is a 404 of the API, too.)
    re_path(r"", entrance, name="api"),
]
