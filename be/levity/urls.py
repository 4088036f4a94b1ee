"""The pages of Levity: the admin, and the way there; and the API."""

from django.urls import include, path
from django.views.generic import RedirectView

from levity.pages.site import site

handler400 = "levity.run.web.errors.bad_request"
handler500 = "levity.run.web.errors.server_error"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="levity:index")),
    path("admin/", site.urls),
    path("api/", include("levity.api.urls")),
]
