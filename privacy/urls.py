"""Paths below /privacy/."""

from django.urls import path

from privacy import views

app_name = "privacy"

urlpatterns = [
    path("athletes/<int:pk>/", views.stored, name="stored"),
    path("athletes/<int:pk>/archive/", views.archive, name="archive"),
    path("athletes/<int:pk>/erase/", views.erase, name="erase"),
    path("storage/", views.storage, name="storage"),
    path("archives/<int:pk>/", views.download, name="download"),
]
