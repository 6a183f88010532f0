"""This module turns a mail's row into subject, text and HTML, from three templates named after its kind, and a shared
base.

A host project overrides `billing_mail/<kind>.subject.txt`, `.txt` or `.html` with a template of the same name, or for
one plan alone with `billing_mail/<kind>.<plan slug>.txt` and the like.
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

from billing import localized, site
from billing.lifecycle import invoice_links

from . import facts as current
from .conf import conf
from .models import Mail

BLANK_LINES = re.compile(r"\n\s*\n\s*\n+")
_WRAPPER = textwrap.TextWrapper(width=76, break_long_words=False, break_on_hyphens=False)


# Names of what is sold, as a catalogue has them; a plan's is written by the filter `plan_name`.
OURS_IN_WORDS = ("pack", "feature")


@dataclass(frozen=True)
class Rendered:
    subject: str
    text: str
    html: str


def render(mail: Mail, language: str = "") -> Rendered:
    """Return the mail's subject, text and HTML in the language named, else the mail's own, else LANGUAGE_CODE."""
    language = language or mail.language or conf.language
    facts = {
        **mail.context,
        **current.now(mail),
        **_links(mail.context.get("invoice", "")),
        "recipient": mail.recipient,
        "product": conf.product_name,
        "account_url": conf.account_url,
        "prices_url": conf.prices_url,
        "language": language,
    }
    with translation.override(language):
        facts |= {name: localized.own_words(facts[name]) for name in OURS_IN_WORDS if facts.get(name)}
        subject = " ".join(_fill(mail, "subject.txt", facts, autoescape=False).split())
        text = _fill(mail, "txt", facts, autoescape=False)
        html = _fill(mail, "html", {**facts, "subject": subject}, autoescape=True)
    return Rendered(subject, _wrapped(text), _inliner().inline(html))


def _links(invoice: str) -> dict[str, str]:
    """Return links to pages of ours that redirect to Stripe's pages, since Stripe's own links expire."""
    if not invoice:
        return {}
    page, pdf = (site.absolute(link(invoice)) for link in (invoice_links.page_of, invoice_links.pdf_of))
    return {"pay_url": page, "invoice_url": page, "pdf_url": pdf}


def _wrapped(text: str) -> str:
    """Wrap long lines of text; addresses stay whole."""
    lines = BLANK_LINES.sub("\n\n", text).strip().split("\n")
    return "\n".join(_WRAPPER.fill(line.strip()) for line in lines) + "\n"


def compose(mail: Mail, language: str = "") -> EmailMultiAlternatives:
    """Return the message to send. anymail passes `metadata` and `tags` to the provider, whose reports repeat the
    metadata. There is no List-Unsubscribe, since these mails belong to a contract and none advertises."""
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
    """Render a template. HTML is escaped, plain text is not."""
    plan = mail.context.get("plan_slug")
    names = [f"billing_mail/{mail.kind}.{plan}.{ending}"] if plan else []
    found: Any = select_template([*names, f"billing_mail/{mail.kind}.{ending}"])
    text: str = found.template.render(Context(facts, autoescape=autoescape))
    return text


@cache
def _inliner() -> CSSInliner:
    """Return the tool that copies styles into the elements, since mail programs read them there. Media queries stay in
    the head."""
    return CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
