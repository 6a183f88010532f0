"""A banner of the account page says what is going on, and leads to what can be done."""

from dataclasses import dataclass
from enum import StrEnum

from billing.models import Plan


class Tone(StrEnum):
    GOOD = "good"
    NOTICE = "notice"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Banner:
    tone: Tone
    headline: str
    sentence: str
    link: str = ""
    link_text: str = ""
    is_form: bool = False  # the link is posted to


def plan_words(plan: Plan | None) -> str:
    return plan.name if plan else "your plan"
