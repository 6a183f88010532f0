"""Where mail providers report: `anymail/<provider>/tracking/`, one address for each provider anymail knows."""

from anymail import urls as anymail
from django.urls import URLPattern

from .provider_door import guarded

urlpatterns = [
    URLPattern(found.pattern, guarded(found.callback), found.default_args, found.name)
    for found in anymail.urlpatterns
    if "inbound" not in found.name
]
