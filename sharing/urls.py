"""Sheets, their links and saved comparisons, below /athletes/."""

from django.urls import path

from sharing.views import comparisons, sheets

app_name = "sharing"

urlpatterns = [
    path("<int:pk>/sheet/", sheets.athlete, name="athlete"),
    path("<int:pk>/sheet.pdf", sheets.athlete_pdf, name="athlete_pdf"),
    path("<int:pk>/sheet/share/", sheets.share_athlete, name="share_athlete"),
    path("sessions/<int:pk>/sheet/", sheets.session, name="session"),
    path("sessions/<int:pk>/sheet.pdf", sheets.session_pdf, name="session_pdf"),
    path("sessions/<int:pk>/sheet/share/", sheets.share_session, name="share_session"),
    path("shares/<int:pk>/revoke/", sheets.revoke, name="revoke"),
    path("compare/saved/", comparisons.listing, name="comparisons"),
    path("compare/save/", comparisons.save, name="save_comparison"),
    path("compare/saved/<int:pk>/", comparisons.show, name="comparison"),
    path(
        "compare/saved/<int:pk>/change/", comparisons.change, name="change_comparison"
    ),
    path(
        "compare/saved/<int:pk>/delete/", comparisons.delete, name="delete_comparison"
    ),
]
