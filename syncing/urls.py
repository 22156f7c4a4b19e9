"""The paths below /syncing/."""

from django.urls import path

from syncing import hand_session_views, upload_views, views

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
    path("upload/", upload_views.upload, name="upload"),
    path("uploads/<int:pk>/", upload_views.upload_record, name="upload_record"),
    path("uploads/<int:pk>/whose/", upload_views.whose, name="upload_whose"),
    path("uploads/<int:pk>/preview/", upload_views.preview, name="upload_preview"),
    path("uploads/<int:pk>/drop/", upload_views.drop, name="upload_drop"),
    path("uploads/<int:pk>/undo/", upload_views.undo, name="upload_undo"),
    path("sessions/<int:pk>/by-hand/", hand_session_views.by_hand, name="by_hand"),
    path("runs/<int:pk>/", views.run, name="run"),
]
