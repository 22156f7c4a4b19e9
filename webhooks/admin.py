"""Admin of webhooks: secrets shown once, deliveries to look at and to send again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from accounts.admin_lists import ModelAdmin
from accounts.audit import record
from accounts.models import Action, User
from webhooks import signing
from webhooks.models import DeliveryState, Webhook, WebhookDelivery, WebhookEvent
from webhooks.services import renew_secret, resend, send_test

if TYPE_CHECKING:
    _Base = admin.ModelAdmin[Any]
    _Form = forms.ModelForm[Webhook]
else:  # Django's own classes take no parameter at run time
    _Base = admin.ModelAdmin
    _Form = forms.ModelForm


class WebhookForm(_Form):
    """The form of a webhook, with its events as boxes to tick."""

    url = forms.URLField(label="Address", max_length=500, assume_scheme="https")
    events = forms.MultipleChoiceField(
        choices=[(event.value, event.label) for event in WebhookEvent.choosable()],
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Webhook
        fields = ["name", "url", "events", "is_active"]


@admin.register(Webhook)
class WebhookAdmin(ModelAdmin):
    """Addresses that are called, and what each is told."""

    form = WebhookForm
    change_form_template = "admin/webhooks/webhook.html"
    list_display = ["name", "url", "told_of", "is_active", "created_by", "created_at"]
    list_filter = ["is_active"]
    list_select_related = ["created_by"]
    search_fields = ["name", "url"]
    actions = ["renew"]

    @admin.display(description="events")
    def told_of(self, webhook: Webhook) -> str:
        """List the events that the webhook is told of."""
        return ", ".join(webhook.events)

    def save_model(
        self, request: HttpRequest, obj: Webhook, form: Any, change: bool
    ) -> None:
        """Save the webhook; a new one gets its secret."""
        user = cast(User, request.user)
        if not change:
            obj.created_by = user
            request.new_secret = signing.new_secret(obj)  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)
        record(
            Action.RECORD_CHANGED,
            by=user,
            subject=obj,
            fields=sorted(form.changed_data),
        )

    def response_add(
        self, request: HttpRequest, obj: Webhook, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the new secret, once."""
        secret = request.new_secret  # type: ignore[attr-defined]
        return self._shown_once(request, obj, secret)

    def _shown_once(
        self, request: HttpRequest, webhook: Webhook, secret: str
    ) -> HttpResponse:
        # On this page alone: a message would lie in the session or a cookie.
        context = {
            **self.admin_site.each_context(request),
            "title": "Secret of the webhook",
            "opts": self.opts,
            "webhook": webhook,
            "secret": secret,
        }
        return TemplateResponse(request, "admin/webhooks/secret.html", context)

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses of the pages, and that of the test button."""
        test = path(
            "<path:object_id>/test/",
            self.admin_site.admin_view(require_POST(self.test)),
            name="webhooks_webhook_test",
        )
        return [test, *super().get_urls()]

    def test(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Send a test event, and say what the receiver answered."""
        webhook = self.get_object(request, object_id)
        if webhook is None:
            raise Http404("That webhook doesn't exist.")
        if not self.has_change_permission(request, webhook):
            raise PermissionDenied
        # Outside of a transaction, unlike the other pages: it waits for an answer.
        delivery = send_test(webhook, by=cast(User, request.user))
        if delivery.state == DeliveryState.DELIVERED:
            self.message_user(
                request,
                f"The receiver answered {delivery.response_code} after "
                f"{delivery.seconds or 0:.2f} s.",
            )
        else:
            self.message_user(
                request, f"The test failed. {delivery.error}", messages.ERROR
            )
        return HttpResponseRedirect(
            reverse("admin:webhooks_webhook_change", args=[webhook.pk])
        )

    @admin.action(description="Create a new secret", permissions=["change"])
    def renew(
        self, request: HttpRequest, webhooks: QuerySet[Webhook]
    ) -> HttpResponse | None:
        """Give one chosen webhook a new secret and show it, once."""
        found = list(webhooks[:2])
        if len(found) != 1:
            self.message_user(
                request, "Choose one webhook: a secret is shown once.", messages.ERROR
            )
            return None
        secret = renew_secret(found[0], by=cast(User, request.user))
        return self._shown_once(request, found[0], secret)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ModelAdmin):
    """The log of deliveries."""

    change_form_template = "admin/webhooks/delivery.html"
    list_display = [
        *("id", "webhook", "event", "state", "attempts", "response_code", "error"),
        *("next_try_at", "created_at", "delivered_at"),
    ]
    list_filter = ["state", "event", "webhook", "created_at"]
    list_select_related = ["webhook"]
    search_fields = ["=id", "message_id", "error"]
    date_hierarchy = "created_at"
    show_full_result_count = False
    actions = ["send_again"]
    fields = [
        *("webhook", "event", "message_id", "payload", "state", "attempts"),
        *("response_code", "error", "seconds", "next_try_at", "created_at"),
        "delivered_at",
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: deliveries follow from events."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: a schedule prunes deliveries."""
        return False

    def save_model(
        self, request: HttpRequest, obj: WebhookDelivery, form: Any, change: bool
    ) -> None:
        """Save nothing: a delivery is not edited."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write no entry of Django's own: the audit holds what was done."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Return all fields: a delivery is not edited."""
        # To be looked at; the one change is to send it again.
        return [str(name) for name in self.fields or []]

    @admin.action(description="Send again", permissions=["change"])
    def send_again(
        self, request: HttpRequest, deliveries: QuerySet[WebhookDelivery]
    ) -> None:
        """Send the chosen deliveries again."""
        ids = list(deliveries.values_list("pk", flat=True))
        count = resend(ids, by=cast(User, request.user))
        self.message_user(request, f"{count} deliveries will be sent again.")

    def response_change(
        self, request: HttpRequest, obj: WebhookDelivery
    ) -> HttpResponse:
        """Send this delivery again when its button was pressed."""
        if "_resend" in request.POST:
            if resend([obj.pk], by=cast(User, request.user)):
                self.message_user(request, "It will be sent again.")
            else:
                self.message_user(
                    request, "It is being sent right now.", messages.WARNING
                )
        return HttpResponseRedirect(request.path)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show one delivery; its page knows which state is waiting."""
        context = {"waiting": DeliveryState.WAITING, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)
