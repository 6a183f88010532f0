"""Staff give a plan, a feature or credits to any subscriber, also to one without a Stripe customer, who has no page
here."""

from typing import Any, cast
from uuid import uuid4

from django import forms
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.admin.widgets import AutocompleteSelect, ForeignKeyRawIdWidget
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest

from billing import cause, clock, lanes
from billing.models import Credit, Grant, listed_subscribers
from billing.subscriptions import grants
from billing.usage import CreditRefused, crediting

from . import people
from .cause_words import STAFF as BY_STAFF
from .grant_actions import GRANT
from .refused import Refused
from .staff_forms import GiftForm


def is_allowed(request: HttpRequest) -> bool:
    """Return whether the reader may give access, and may see the subscribers among whom they choose."""
    return GRANT.is_allowed(request) and request.user.has_perm(people.view_permission())


class SubscriberSelect(AutocompleteSelect):
    """This list offers nothing for a value that cannot be a subscriber's key, where Django's own would fail. While it
    is empty, its words are its name for who reads by ear."""

    def build_attrs(self, base_attrs: Any, extra_attrs: Any = None) -> Any:
        return {**super().build_attrs(base_attrs, extra_attrs), "data-placeholder": "Choose a subscriber"}

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        return super().optgroups(name, [each for each in value if people.is_key(each)], attr)


def subscriber_widget(site: Any, of: Any) -> Any:
    """Return how staff choose the subscriber of a new row: by a search, if the site's admin of subscribers has one."""
    relation, model = of._meta.get_field("subscriber"), people.subscriber_model()
    is_searched = site.is_registered(model) and site.get_model_admin(model).search_fields
    return SubscriberSelect(relation, site) if is_searched else ForeignKeyRawIdWidget(relation.remote_field, site)


class GiveForm(GiftForm):
    """`source` names what gives it: sent again with the same one, the form gives nothing twice."""

    subscriber: Any = forms.ModelChoiceField(None, error_messages={"required": "Choose a subscriber."})
    source = forms.CharField(
        max_length=grants.LONGEST_SOURCE,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text="What gives it, such as partner:CODE. To one subscriber, a source gives something only once.",
    )
    once = forms.BooleanField(
        required=False,
        label="As credits",
        help_text="The quantity is spent once, when a month's limit is used up, and adds to no month's limit.",
    )
    field_order = ["subscriber", "plan", "feature", "quantity", "once", "until", "source", "reason"]

    def __init__(self, site: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(None, *args, **kwargs)
        field: Any = self.fields["subscriber"]
        field.widget = subscriber_widget(site, Grant)
        field.queryset = listed_subscribers()
        self.fields["source"].initial = f"{BY_STAFF}{uuid4()}"

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if given.get("once") and not given.get("quantity"):
            self.add_error("quantity", "Say how many credits of the feature.")
        return given


def give(request: HttpRequest, given: dict[str, Any]) -> Grant | Credit:
    """Give it in the subscriber's lane, in one transaction with the log. Raises `Refused`, with the reason in words, or
    an outage of `OUTAGES`; then nothing is changed.
    """
    subscriber, staff = given["subscriber"], cast("int", request.user.pk)

    def work() -> Grant | Credit:
        model = Credit if given["once"] else Grant
        if known := model._default_manager.filter(subscriber=subscriber, source=given["source"]).first():
            raise Refused(f"The source {known.source} gave {known.what} to {subscriber} before. Nothing was changed.")
        try:
            row = _give(subscriber, given)
        except (grants.GrantRefused, CreditRefused) as error:
            raise Refused(f"{error} Nothing was changed.") from error
        LogEntry.objects.create(
            user_id=staff,
            content_type=ContentType.objects.get_for_model(row),
            object_id=str(row.pk),
            object_repr=str(row),
            action_flag=ADDITION,
            change_message=f"Gave {row}: {given['reason']}",
            action_time=clock.now(),
        )
        return row

    with cause.recorded_as(f"{BY_STAFF}{staff}"):
        return lanes.run_in_lane_of(subscriber, work)


def _give(subscriber: Any, given: dict[str, Any]) -> Grant | Credit:
    how = {name: given[name] for name in ("until", "source", "reason")}
    if given["once"]:
        return crediting.give(subscriber, given["feature"], given["quantity"], **how)
    plan = given["plan"].slug if given["plan"] else ""
    return grants.give(subscriber, plan=plan, feature=given["feature"], quantity=given["quantity"], **how)
