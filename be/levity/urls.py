"""The pages of Levity: the admin, and the way there."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

handler400 = "levity.run.web.errors.bad_request"
handler500 = "levity.run.web.errors.server_error"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
]
