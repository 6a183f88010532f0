"""A page asks staff for what an act needs, and says what it will do; every act of the admin has the same one."""

from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse

TEMPLATE = "billing/admin/ask.html"


def ask(
    model_admin: Any,
    request: HttpRequest,
    title: str,
    form: Any,
    *,
    status: int = 200,
    template: str = TEMPLATE,
    **shown: Any,
) -> TemplateResponse:
    """Return the page. `shown` may have `about`, sentences; `problem`, a sentence; and the `row` that it is about, with
    its `name`."""
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "opts": model_admin.opts,
        "media": model_admin.media + form.media,
        "form": form,
        **shown,
    }
    return TemplateResponse(request, template, context, status=status)
