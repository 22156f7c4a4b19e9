"""The admin of uploads by hand, and the line that names them elsewhere."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from accounts.admin_lists import ReadOnlyAdmin
from athletes.models import HandUpload, UploadState


def uploads_in_words(uploads: QuerySet[HandUpload]) -> SafeString:
    """Links to uploads that hold, each with who uploaded it; a dash for none."""
    held = uploads.filter(state__in=[UploadState.STORING, UploadState.STORED])
    lines = [
        (
            reverse("syncing:upload_record", args=[upload.pk]),
            upload.pk,
            upload.created_by or "a command on the server",
        )
        for upload in held.select_related("created_by").only("created_by")[:20]
    ]
    if not lines:
        return mark_safe("–")  # a dash
    return format_html_join(", ", '<a href="{}">upload {}</a> by {}', lines)


@admin.register(HandUpload)
class HandUploadAdmin(ReadOnlyAdmin):
    """The admin of uploads by hand; they are undone on their own page."""

    list_display = ["__str__", "player", "session", "state", "created_by", "stored_at"]
    list_filter = ["state"]
    list_select_related = ["player", "session", "created_by"]
    ordering = ["-id"]
    fields = [
        *("page", "player", "session", "state", "created_by", "created_at"),
        *("stored_at", "undone_by", "undone_at", "files"),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[HandUpload]:
        """The uploads that were stored; what waits is seen by who chose it alone."""
        uploads: QuerySet[HandUpload] = super().get_queryset(request)
        return uploads.exclude(state=UploadState.STAGED).defer(
            "contents", "created", "before"
        )

    @admin.display(description="page")
    def page(self, upload: HandUpload) -> SafeString:
        """A link to the page of the upload."""
        return format_html(
            '<a href="{}">Open the upload\'s page</a>',
            reverse("syncing:upload_record", args=[upload.pk]),
        )
