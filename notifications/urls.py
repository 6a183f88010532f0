"""Where the mail provider in use reports: `anymail/<provider>/tracking/`. For every other one there is nothing."""

from anymail import urls as anymail
from django.urls import URLPattern

from .provider_door import guarded

urlpatterns = [
    URLPattern(found.pattern, guarded(found.callback), found.default_args, found.name)
    for found in anymail.urlpatterns
    if "inbound" not in found.name
]
