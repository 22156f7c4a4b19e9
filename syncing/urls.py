"""The paths below /syncing/."""

from django.urls import path

from syncing import views

app_name = "syncing"

urlpatterns = [
    path("", views.index, name="index"),
    path("panel/", views.panel, name="panel"),
    path("records/", views.records, name="records"),
    path("freshness/", views.freshness, name="freshness"),
    path("alert/", views.alert, name="alert"),
    path("start/", views.start, name="start"),
    path("cancel/", views.cancel, name="cancel"),
    path("retry/", views.retry, name="retry"),
    path("give-up/", views.give_up, name="give_up"),
    path("columns/noted/", views.note_columns, name="note_columns"),
    path("backfill/", views.backfill, name="backfill"),
    path("upload/", views.upload, name="upload"),
    path("runs/<int:pk>/", views.run, name="run"),
]
