"""The administration: one login for the whole site."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache

from reboot_site.adminlookups import ShownColumnsOnly


class StaffSite(admin.AdminSite):
    """Django's administration behind our own login, filtered by what it shows."""

    site_header = "Administration"
    index_title = "Administration"

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: type[admin.ModelAdmin[Any]] | None = None,
        **options: Any,
    ) -> None:
        """Register the class with the rule of `ShownColumnsOnly` put before it."""
        given = admin_class or admin.ModelAdmin
        ruled = type(
            given.__name__, (ShownColumnsOnly, given), {"__module__": given.__module__}
        )
        super().register(
            model_or_iterable, cast("type[admin.ModelAdmin[Any]]", ruled), **options
        )

    @method_decorator(never_cache)
    @login_not_required
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send to the login of the site, which also knows the second factor.

        The administration's own form would ask for the password alone.
        """
        target = request.GET.get("next", "")
        if not url_has_allowed_host_and_scheme(
            target,
            allowed_hosts={request.get_host()},
            require_https=request.is_secure(),
        ):
            target = reverse("admin:index", current_app=self.name)
        if self.has_permission(request):
            return HttpResponseRedirect(target)
        if request.user.is_authenticated:
            raise PermissionDenied("Your login can't open the administration.")
        return redirect_to_login(target)

    def password_change(  # type: ignore[override]  # a redirect is no template
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Redirect to the site's page, which counts wrong passwords and is audited."""
        return redirect("password_change")

    def password_change_done(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Redirect to the site's own page after a password was changed."""
        return redirect("password_change_done")

    @method_decorator(never_cache)
    def logout(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Log out and answer with the login page, as everywhere else on the site."""
        # Here: models are not ready when the site is made.
        from accounts.views import LogoutView

        answer: HttpResponseBase = LogoutView.as_view()(request)
        return answer

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """The start page, with counts and what needs somebody."""
        # Here: models are not ready when the site is made.
        from reboot_site.overview import overview

        context = {"overview": overview(), **(extra_context or {})}
        return super().index(request, context)

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[dict[str, Any]]:
        """Lists by the names that their administrations give them."""
        apps: list[dict[str, Any]] = super().get_app_list(request, app_label)
        for app in apps:
            for model in app["models"]:
                named = self._registry[model["model"]]
                model["name"] = getattr(named, "list_name", model["name"])
        return apps
