"""A mail's row turned into words: three templates found by the kind's name, in `mail/`, and a shared base.

`mail/<kind>.subject.txt`, `mail/<kind>.txt`, `mail/<kind>.html`: a host project overrides any of them by one of its
own with the same name.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from css_inline import CSSInliner
from django.core.mail import EmailMultiAlternatives
from django.template import Context
from django.template.loader import get_template
from django.utils import translation

from .conf import conf
from .models import Mail

BLANK_LINES = re.compile(r"\n\s*\n\s*\n+")


@dataclass(frozen=True)
class Rendered:
    subject: str
    text: str
    html: str


def render(mail: Mail, language: str = "") -> Rendered:
    """In the language named, else in the one mails are written in."""
    language = language or conf.language
    facts = {
        **mail.context,
        "product": conf.product_name,
        "account_url": conf.account_url,
        "prices_url": conf.prices_url,
        "language": language,
    }
    with translation.override(language):
        subject = " ".join(_fill(f"mail/{mail.kind}.subject.txt", facts, autoescape=False).split())
        text = _fill(f"mail/{mail.kind}.txt", facts, autoescape=False)
        html = _fill(f"mail/{mail.kind}.html", {**facts, "subject": subject}, autoescape=True)
    return Rendered(subject, BLANK_LINES.sub("\n\n", text).strip() + "\n", _inliner().inline(html))


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


def _fill(template: str, facts: dict[str, Any], *, autoescape: bool) -> str:
    """Plain text is not escaped; HTML is."""
    found: Any = get_template(template)
    text: str = found.template.render(Context(facts, autoescape=autoescape))
    return text


@cache
def _inliner() -> CSSInliner:
    """Mail programs read styles from the elements; the media queries stay in the head for those that read them."""
    return CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
