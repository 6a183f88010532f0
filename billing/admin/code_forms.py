"""The form of redeem codes says what they give, how many there are, and how often each may be used."""

import secrets
from datetime import datetime, timedelta
from typing import Any, cast

from django import forms
from django.utils import timezone

from billing import cause, clock
from billing.conf import conf
from billing.lifecycle import redeeming
from billing.models import Code, Plan, PlanLimit
from billing.subscriptions import grants

from .staff_forms import EITHER, OF_A_FEATURE

MOST = 10_000
LONGEST_DAYS = 36_500
# Without letters and digits that are taken for one another.
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
LENGTH = 16
PORTION = 1000


class MakeCodesForm(forms.Form):
    batch = forms.CharField(max_length=100, help_text="What they are for, such as a partner's name; it is the reason.")
    plan = forms.ModelChoiceField(Plan.objects.none(), required=False, empty_label="no plan, but a feature")
    feature = forms.ChoiceField(required=False)
    quantity = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=grants.MOST_QUANTITY,
        help_text="Of the feature: what is added to the limit of each month. Empty: no limit.",
    )
    once = forms.BooleanField(
        required=False,
        label="As credits",
        help_text="The quantity is spent once, when a month's limit is used up, and adds to no month's limit.",
    )
    lasts_days = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=LONGEST_DAYS,
        label="Lasts for days",
        help_text="From the day of redeeming. Empty: for good.",
    )
    number = forms.IntegerField(
        required=False, min_value=1, max_value=MOST, help_text="How many to make, each of 16 characters."
    )
    theirs = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "cols": 40}),
        label="Or these codes",
        help_text="Codes that were made elsewhere, one a line. Case, spaces and dashes do not matter.",
    )
    most_uses = forms.IntegerField(
        required=False, min_value=1, initial=1, label="Uses of each", help_text="Empty: any number of subscribers."
    )
    valid_until = forms.DateField(
        required=False,
        label="Can be redeemed until the end of",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="Empty: always.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plans, features = cast("Any", self.fields["plan"]), cast("Any", self.fields["feature"])
        plans.queryset = Plan.objects.exclude(slug=conf.free_plan)
        names = PlanLimit.objects.order_by("feature").values_list("feature", flat=True).distinct()
        features.choices = [("", "no feature"), *((name, name) for name in names)]

    def clean_valid_until(self) -> datetime | None:
        day = self.cleaned_data["valid_until"]
        if day is None:
            return None
        if day < timezone.localdate(clock.now()):
            raise forms.ValidationError("Choose today or a later day.")
        return timezone.make_aware(datetime.combine(day + timedelta(days=1), datetime.min.time()))

    def clean_theirs(self) -> list[str]:
        """Return the codes as they are kept, each once."""
        codes = list(dict.fromkeys(filter(None, map(redeeming.plain, self.cleaned_data["theirs"].splitlines()))))
        if len(codes) > MOST:
            raise forms.ValidationError(f"{MOST:,} codes at once are the most.")
        if wrong := next((code for code in codes if len(code) > redeeming.LONGEST or not code.isalnum()), ""):
            raise forms.ValidationError(f"{wrong[:80]!r} is no code: use up to 64 letters and digits.")
        known = [known for part in _portions(codes) for known in Code.objects.filter(code__in=part)]
        if known:
            raise forms.ValidationError(f"{len(known):,} of them exist already, such as {known[0]}. None was made.")
        return codes

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if self.errors:
            return given
        if bool(given["plan"]) == bool(given["feature"]):
            raise forms.ValidationError(EITHER)
        if given["quantity"] and not given["feature"]:
            self.add_error("quantity", OF_A_FEATURE)
        if given["once"] and not given["quantity"]:
            self.add_error("quantity", "Say how many credits of the feature.")
        if bool(given["number"]) == bool(given["theirs"]):
            raise forms.ValidationError("Either say how many to make, or list codes of yours.")
        return given

    def make(self) -> int:
        """Make the codes and return how many there are. Call it in a transaction."""
        given = self.cleaned_data
        what = {name: given[name] for name in ("batch", "plan", "feature", "quantity", "once", "lasts_days")}
        what |= {name: given[name] for name in ("most_uses", "valid_until")}
        what |= {"cause": cause.current(), "made_at": clock.now()}
        names = given["theirs"] or [_secret() for _ in range(given["number"])]
        Code.objects.bulk_create([Code(code=name, **what) for name in names], batch_size=PORTION)
        return len(names)


def _secret() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def _portions(codes: list[str]) -> list[list[str]]:
    return [codes[start : start + PORTION] for start in range(0, len(codes), PORTION)]
