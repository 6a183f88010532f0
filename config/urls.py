"""This table lists the addresses of all pages of the site."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.utils.functional import lazy
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

admin.site.site_header = admin.site.site_title = lazy(lambda: settings.NOTIFICATIONS_PRODUCT_NAME, str)()
admin.site.index_title = "Staff"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("anymail/", include("notifications.urls")),
    path("", include("accounts.urls")),
    path("", include("billing.urls")),
]
