"""The gallery shows every kind of mail to staff, with usual and extreme facts, in each language and for each plan."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.mail import EmailMultiAlternatives
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST

from billing.admin import ReadOnlyAdmin
from billing.models import Plan

from . import failures, outbox, rendering
from .models import Mail, Preview
from .samples import SAMPLES

# A mail carries its styles in its elements, which the site's own policy forbids; in exchange it may do nothing else.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; frame-ancestors 'self'; sandbox"
SAMPLE_ADDRESS = "sample@example.com"


@dataclass(frozen=True)
class Wanted:
    """This names the mail that the gallery shows. An unknown name falls back to the first sample; plan "" keeps the
    sample's own plan."""

    sample: str
    language: str
    plan: str

    def mail(self, recipient: str = SAMPLE_ADDRESS) -> Mail:
        """Return the mail as a row that is never saved, so that no subscriber's history has it."""
        kind, facts = SAMPLES[self.sample]
        plan = Plan.objects.filter(slug=self.plan).first() if self.plan else None
        context = {**facts, "plan": plan.name, "plan_slug": plan.slug} if plan and "plan" in facts else facts
        now = timezone.now()
        mail = Mail(key=f"sample:{self.sample}", kind=kind, recipient=recipient, context=context, created_at=now)
        mail.message_id = outbox.new_message_id()
        return mail

    def rendered(self) -> rendering.Rendered:
        """Return the mail's subject, text and HTML."""
        return rendering.render(self.mail(), self.language)

    def message(self, recipient: str) -> EmailMultiAlternatives:
        """Return the mail as a message, with its subject marked as a sample."""
        message = rendering.compose(self.mail(recipient), self.language)
        message.subject = f"[Sample] {message.subject}"
        return message


class Choice(forms.Form):
    """Staff choose mail, language and plan in this form."""

    sample = forms.ChoiceField(label="Mail")
    language = forms.ChoiceField()
    plan = forms.ChoiceField(required=False)

    def __init__(self, data: Any) -> None:
        chosen = {"sample": next(iter(SAMPLES)), "language": settings.LANGUAGE_CODE, "plan": "", **data.dict()}
        super().__init__(chosen)
        fields: dict[str, Any] = self.fields
        fields["sample"].choices = by_kind()
        fields["language"].choices = settings.LANGUAGES
        plans = Plan.objects.order_by("rank").values_list("slug", "name")
        fields["plan"].choices = [("", "as in the sample"), *plans]

    def wanted(self) -> Wanted | None:
        """Return the chosen mail, or None if a choice is unknown."""
        return Wanted(**self.cleaned_data) if self.is_valid() else None


def by_kind() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the samples grouped by kind, as choices of a select."""
    named = sorted(SAMPLES, key=lambda name: Mail.Kind.values.index(SAMPLES[name][0]))
    groups = groupby(named, key=lambda name: SAMPLES[name][0])
    return [(str(Mail.Kind(kind).label), [(name, name.replace("_", " ")) for name in names]) for kind, names in groups]


@admin.register(Preview)
class GalleryAdmin(ReadOnlyAdmin):
    """Show the gallery at /admin/billing_mail/preview/. It lists nothing from the database."""

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site.admin_view
        return [
            path("", site(self.page), name="billing_mail_preview_changelist"),
            path("html/", site(self.html), name="billing_mail_preview_html"),
            path("send/", site(self.send), name="billing_mail_preview_send"),
        ]

    def page(self, request: HttpRequest) -> HttpResponse:
        """Show the chosen mail with its subject, HTML and text."""
        form, wanted = self._choice(request)
        shown = {"rendered": wanted.rendered(), "address": self._address("html", wanted)} if wanted else {}
        context = {
            **self.admin_site.each_context(request),
            **shown,
            "title": "Gallery of mails",
            "opts": self.opts,
            "media": self.media,
            "form": form,
            "wanted": wanted,
            "may_send": self._may_send(request),
        }
        return TemplateResponse(request, "admin/billing_mail/gallery.html", context)

    @method_decorator(xframe_options_sameorigin)
    def html(self, request: HttpRequest) -> HttpResponse:
        """Answer with the chosen mail's HTML alone, for the page's frames."""
        _, wanted = self._choice(request)
        content = wanted.rendered().html if wanted else ""
        return HttpResponse(content, status=200 if wanted else 404, headers={"Content-Security-Policy": POLICY})

    @method_decorator(require_POST)
    def send(self, request: HttpRequest) -> HttpResponse:
        """Send the chosen mail to the member of staff who asks, and to nobody else."""
        _, wanted = self._choice(request)
        if not self._may_send(request) or wanted is None:
            raise PermissionDenied
        address: str = getattr(request.user, "email", "")
        try:
            wanted.message(address).send()
        except Exception as error:  # whatever the provider's backend raises
            messages.error(request, f"Not sent: {failures.describe(error)}")
            if not failures.is_expected(error):
                raise
        else:
            messages.success(request, f"Sent to {address}.")
        return HttpResponseRedirect(self._address("changelist", wanted))

    def _choice(self, request: HttpRequest) -> tuple[Choice, Wanted | None]:
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = Choice(request.POST if request.method == "POST" else request.GET)
        return form, form.wanted()

    def _may_send(self, request: HttpRequest) -> bool:
        return request.user.has_perm("billing_mail.send_preview") and bool(getattr(request.user, "email", ""))

    def _address(self, name: str, wanted: Wanted) -> str:
        return reverse(f"admin:billing_mail_preview_{name}", query=vars(wanted))
