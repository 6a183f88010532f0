"""Staff give a plan or a feature to any subscriber, also to one without a Stripe customer, who has no page here."""

from typing import Any, cast
from uuid import uuid4

from django import forms
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.admin.widgets import AutocompleteSelect, ForeignKeyRawIdWidget
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest

from billing import cause, clock, lanes
from billing.models import Grant
from billing.subscriptions import grants

from . import people
from .cause_words import STAFF as BY_STAFF
from .refused import Refused
from .staff_actions import GRANT
from .staff_forms import GiftForm


def is_allowed(request: HttpRequest) -> bool:
    """Return whether the reader may give access, and may see the subscribers among whom they choose."""
    return GRANT.is_allowed(request) and request.user.has_perm(people.view_permission())


class SubscriberSelect(AutocompleteSelect):
    """This list offers nothing for a value that cannot be a subscriber's key, where Django's own would fail."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        return super().optgroups(name, [each for each in value if people.is_key(each)], attr)


class GiveForm(GiftForm):
    """`source` names what gives it: sent again with the same one, the form gives nothing twice."""

    subscriber: Any = forms.ModelChoiceField(None, error_messages={"required": "Choose a subscriber."})
    source = forms.CharField(
        max_length=grants.LONGEST_SOURCE,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text="What gives it, such as partner:CODE. To one subscriber, a source gives something only once.",
    )
    field_order = ["subscriber", "plan", "feature", "quantity", "until", "source", "reason"]

    def __init__(self, site: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(None, *args, **kwargs)
        field: Any = self.fields["subscriber"]
        relation: Any = Grant._meta.get_field("subscriber")
        model = people.subscriber_model()
        is_searched = site.is_registered(model) and site.get_model_admin(model).search_fields
        field.widget = (
            SubscriberSelect(relation, site) if is_searched else ForeignKeyRawIdWidget(relation.remote_field, site)
        )
        field.queryset = model._default_manager.all()
        self.fields["source"].initial = f"{BY_STAFF}{uuid4()}"


def give(request: HttpRequest, given: dict[str, Any]) -> Grant:
    """Give it in the subscriber's lane, in one transaction with the log. Raises `Refused`, with the reason in words, or
    an outage of `OUTAGES`; then nothing is changed.
    """
    subscriber, staff = given["subscriber"], cast("int", request.user.pk)
    plan = given["plan"].slug if given["plan"] else ""
    what = {"plan": plan, **{name: given[name] for name in ("feature", "quantity", "until", "source", "reason")}}

    def work() -> Grant:
        if known := Grant.objects.filter(subscriber=subscriber, source=given["source"]).first():
            raise Refused(f"The source {known.source} gave {known.what} to {subscriber} before. Nothing was changed.")
        try:
            grant = grants.give(subscriber, **what)
        except grants.GrantRefused as error:
            raise Refused(f"{error} Nothing was changed.") from error
        LogEntry.objects.create(
            user_id=staff,
            content_type=ContentType.objects.get_for_model(Grant),
            object_id=str(grant.pk),
            object_repr=str(grant),
            action_flag=ADDITION,
            change_message=f"Gave {grant}: {given['reason']}",
            action_time=clock.now(),
        )
        return grant

    with cause.recorded_as(f"{BY_STAFF}{staff}"):
        return lanes.run_in_lane_of(subscriber, work)
