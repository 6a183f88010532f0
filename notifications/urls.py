"""These addresses receive the mail provider's reports: `anymail/<provider>/tracking/`. Only the provider in use is
answered."""

from anymail import urls as anymail
from django.urls import URLPattern

from .provider_door import guarded

urlpatterns = [
    URLPattern(found.pattern, guarded(found.callback), found.default_args, found.name)
    for found in anymail.urlpatterns
    if "inbound" not in found.name
]
