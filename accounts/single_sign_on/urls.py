"""Addresses of single sign-on; there are none while it is off."""

from django.urls import path

from accounts.single_sign_on import views

urlpatterns = [
    path("accounts/sign-on/", views.begin, name="single_sign_on"),
    path("accounts/sign-on/back/", views.callback, name="single_sign_on_callback"),
]
