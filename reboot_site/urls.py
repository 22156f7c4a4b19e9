"""All addresses of the site; the JSON paths have no trailing slash."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from dashboard.views.home import home
from reboot_site import adminapp, metrics, views
from sharing.views import shared

handler500 = "reboot_site.views.server_error"

# Its addresses are those of all that is registered by now.
adminapp.load()
urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("accounts.urls")),
    path("syncing/", include("syncing.urls")),
    path("athletes/", include("dashboard.urls")),
    path("athletes/", include("sharing.urls")),
    # Without a login; the address is the key (docs/privacy.md).
    path("shared/<str:token>/", shared.page, name="shared"),
    path("shared/<str:token>/sheet.pdf", shared.pdf, name="shared_pdf"),
    path("privacy/", include("privacy.urls")),
    # At the root, so that it is for all pages.
    path("service-worker.js", views.service_worker, name="service_worker"),
    path("no-connection/", views.no_connection, name="no_connection"),
    path("metrics", metrics.show, name="metrics"),
    path("", home, name="home"),
    path("", include("reboot_site.api")),
]
if settings.OIDC_ISSUER:
    urlpatterns.append(path("", include("accounts.single_sign_on.urls")))
