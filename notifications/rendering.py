"""A mail's row turned into words: three templates found by the kind's name, in `billing_mail/`, and a shared base.

`billing_mail/<kind>.subject.txt`, `.txt`, `.html`: a host project overrides any of them by one of its
own with the same name, or for one plan alone by `billing_mail/<kind>.<plan slug>.txt` and the like.
"""

import re
import textwrap
from dataclasses import dataclass
from functools import cache
from typing import Any

from css_inline import CSSInliner
from django.core.mail import EmailMultiAlternatives
from django.template import Context
from django.template.loader import select_template
from django.utils import translation

from billing.conf import conf as billing
from billing.pages import invoice_links

from .conf import conf
from .models import Mail

BLANK_LINES = re.compile(r"\n\s*\n\s*\n+")
_WRAPPER = textwrap.TextWrapper(width=76, break_long_words=False, break_on_hyphens=False)


@dataclass(frozen=True)
class Rendered:
    subject: str
    text: str
    html: str


def render(mail: Mail, language: str = "") -> Rendered:
    """In the language named, else in the subscriber's, else in LANGUAGE_CODE."""
    language = language or mail.language or conf.language
    facts = {
        **mail.context,
        **_links(mail.context.get("invoice", "")),
        "product": conf.product_name,
        "account_url": conf.account_url,
        "prices_url": conf.prices_url,
        "language": language,
    }
    with translation.override(language):
        subject = " ".join(_fill(mail, "subject.txt", facts, autoescape=False).split())
        text = _fill(mail, "txt", facts, autoescape=False)
        html = _fill(mail, "html", {**facts, "subject": subject}, autoescape=True)
    return Rendered(subject, _wrapped(text), _inliner().inline(html))


def _links(invoice: str) -> dict[str, str]:
    """To pages of ours that lead on to Stripe's: what Stripe's own links lead to expires."""
    if not invoice:
        return {}
    page, pdf = (billing.site_url + link(invoice) for link in (invoice_links.page_of, invoice_links.pdf_of))
    return {"pay_url": page, "invoice_url": page, "pdf_url": pdf}


def _wrapped(text: str) -> str:
    """Lines that are read without scrolling; addresses stay whole."""
    lines = BLANK_LINES.sub("\n\n", text).strip().split("\n")
    return "\n".join(_WRAPPER.fill(line.strip()) for line in lines) + "\n"


def compose(mail: Mail, language: str = "") -> EmailMultiAlternatives:
    """The message to hand over; `metadata` and `tags` reach the providers that anymail knows, and the first comes back
    with what they report. No List-Unsubscribe: these mails belong to a contract, and none of them advertises."""
    rendered = render(mail, language)
    message = EmailMultiAlternatives(
        subject=rendered.subject,
        body=rendered.text,
        from_email=conf.from_email,
        to=[mail.recipient],
        reply_to=[conf.support_email] if conf.support_email else None,
        headers={"Message-ID": mail.message_id, "Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(rendered.html, "text/html")
    for name, value in {"metadata": {"mail": mail.key, "message": mail.message_id}, "tags": [mail.kind]}.items():
        setattr(message, name, value)
    return message


def _fill(mail: Mail, ending: str, facts: dict[str, Any], *, autoescape: bool) -> str:
    """Plain text is not escaped; HTML is."""
    plan = mail.context.get("plan_slug")
    names = [f"billing_mail/{mail.kind}.{plan}.{ending}"] if plan else []
    found: Any = select_template([*names, f"billing_mail/{mail.kind}.{ending}"])
    text: str = found.template.render(Context(facts, autoescape=autoescape))
    return text


@cache
def _inliner() -> CSSInliner:
    """Mail programs read styles from the elements; the media queries stay in the head for those that read them."""
    return CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
