"""Addresses of the site as they are where OIDC_ISSUER is set (ROOT_URLCONF)."""

from accounts.single_sign_on.urls import urlpatterns as single_sign_on
from reboot_site import urls

handler500 = urls.handler500
urlpatterns = [*urls.urlpatterns, *single_sign_on]
