"""Staff can do this for one customer: place and release holds, give, extend and end grants, move trials, refresh.

Each action asks for a reason and needs a permission. It runs in the customer's lane, in one transaction with the log
entry that says who did it and why.
"""

from collections.abc import Callable
from typing import Any, cast
from uuid import uuid4

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest

from billing import catalogue, cause, clock, lanes, stripe_account, subscriptions
from billing.access import moment, words
from billing.catalogue import definitions
from billing.lifecycle import refusals
from billing.models import AccountDeletion, Customer, Grant, Hold, Payment, Price, StripeWrite
from billing.payments import nothing
from billing.stripe_client import NoSuchCustomer, StripeRefused, drain_reads, fetch
from billing.subscriptions import doubts, grants, holds

from . import add_on_actions, at_stripe, at_stripe_forms, further_actions, staff_forms, tax_actions, trial_moves
from .action import Action, refresh_quietly
from .cause_words import STAFF as BY_STAFF
from .refused import Refused

SOMEBODY_ELSE = "Somebody else has changed this in the meantime. Nothing was changed. Please check again."


def perform(action: Action, request: HttpRequest, customer_id: str, given: dict[str, Any]) -> str:
    """Run the action, log it, and return what was done. Raises `Refused` or an outage of `OUTAGES`; then nothing
    is changed."""
    staff: Any = request.user.pk

    def work() -> str:
        customer = _possible(action, customer_id)
        done = action.work(customer, given)
        _log(staff, customer_id, f"{done}: {given['reason']}")
        return done

    with cause.recorded_as(f"staff:{staff}"), lanes.exclusive(customer_id) as commit:
        if action.at_stripe is None:
            return commit(work)
        entry = _log(staff, customer_id, f"{action.title}, asked of Stripe: {given['reason']}")
        return _perform_at_stripe(action, customer_id, given, entry, commit)


def _perform_at_stripe(
    action: Action, customer_id: str, given: dict[str, Any], entry: LogEntry, commit: Callable[[Callable[[], str]], str]
) -> str:
    """Ask Stripe, then refresh. The log tells that it was asked before it is, so that no crash in between hides who it
    was; what Stripe or a rule refused is not kept.
    """
    try:
        with drain_reads():
            done = cast("Any", action.at_stripe)(_possible(action, customer_id), given)
    except (Refused, refusals.Refused, *StripeRefused) as error:
        entry.delete()
        raise (Refused(str(error)) if isinstance(error, refusals.Refused) else error) from error

    def work() -> str:
        action.work(Customer.objects.select_related("subscriber").get(pk=customer_id), given)
        LogEntry.objects.filter(pk=entry.pk).update(change_message=f"{done}: {given['reason']}")
        return str(done)

    return commit(work)


def _possible(action: Action, customer_id: str) -> Customer:
    customer = Customer.objects.select_related("subscriber").get(pk=customer_id)
    if not action.is_possible(customer):
        raise Refused
    return customer


def _log(staff: Any, customer_id: str, message: str) -> LogEntry:
    return LogEntry.objects.create(
        user_id=staff,
        content_type=ContentType.objects.get_for_model(Customer),
        object_id=customer_id,
        object_repr=customer_id,
        action_flag=CHANGE,
        change_message=message,
        action_time=clock.now(),
    )


def previewed(action: Action, customer: Customer, given: dict[str, Any]) -> list[str]:
    """Return what the action would come to. Raises `Refused`, with the reason, or an outage of `OUTAGES`."""
    try:
        with drain_reads():
            return action.preview(customer, given) if action.preview else []
    except refusals.Refused as error:
        raise Refused(str(error)) from error


# Holds

ACCESS_IS_BACK = "Access comes back at once, if it is paid for or was given."
RELEASING: dict[str, str] = {
    Hold.Kind.DISPUTE: "A payment is disputed: the subscriber may get both the access and the money. The dispute "
    "continues, and its later events do not place this hold again.",
    Hold.Kind.REFUND: "The current period was refunded in full. If you release the hold, nobody pays for the access.",
    Hold.Kind.FRAUD: "A payment was reported as fraud. Make sure that you know who you are talking to.",
}


def _about_hold(customer: Customer) -> list[str]:
    return [
        "Access ends at once, even if it is paid for, until somebody releases the hold.",
        "The subscription continues, and Stripe keeps charging. Cancel or refund it at Stripe if it should not.",
    ]


def _place_hold(customer: Customer, given: dict[str, Any]) -> str:
    holds.place(customer, Hold.Kind.STAFF, str(uuid4()), given["reason"])
    return "Placed a hold"


def _has_no_staff_hold(customer: Customer) -> bool:
    return not _is_gone(customer) and not customer.holds.active().filter(kind=Hold.Kind.STAFF).exists()


def _about_release(customer: Customer) -> list[str]:
    kinds = list(customer.holds.active().order_by("placed_at").values_list("kind", flat=True))
    beside = ["The other holds stay in force."] if len(kinds) > 1 else []
    return [ACCESS_IS_BACK, *(RELEASING[kind] for kind in dict.fromkeys(kinds) if kind in RELEASING), *beside]


def _release_hold(customer: Customer, given: dict[str, Any]) -> str:
    hold: Hold = given["hold"]
    if not holds.release(customer, Hold.Kind(hold.kind), hold.reference):
        raise Refused
    return f"Released the {hold.get_kind_display().lower()} hold"


def _has_hold(customer: Customer) -> bool:
    is_theirs = customer.subscriber_id is not None or not _is_gone(customer)
    return is_theirs and customer.holds.active().exists()


# Grants


def _about_grant(customer: Customer) -> list[str]:
    said = ["This gives a plan or a feature for free, besides what is paid. Nothing changes at Stripe."]
    said += [f"In force already: {words.given(grant)}." for grant in in_force(customer)]
    if customer.holds.active().exists():
        said.append("A hold is in force, so there is no access until the hold is released.")
    return said


def _give(customer: Customer, given: dict[str, Any]) -> str:
    """Give it, but only if nothing was given since the form was shown: of two members of staff, the second sees what
    the first gave."""
    _wait_for_colleagues(customer)
    if staff_forms.newest_grant(customer) != (given["newest"] or None):
        raise Refused
    plan = given["plan"].slug if given["plan"] else ""
    what = {"plan": plan, "feature": given["feature"], "quantity": given["quantity"], "until": given["until"]}
    source = f"{BY_STAFF}{uuid4()}"
    try:
        grant = grants.give(customer.subscriber, **what, source=source, reason=given["reason"])
    except grants.GrantRefused as error:
        raise Refused from error
    return f"Gave {grant.what} {_until(grant)}"


def _extend(customer: Customer, given: dict[str, Any]) -> str:
    grant = _still_open(customer, given["grant"])
    grant = grants.extend(customer.subscriber, grant.source, given["until"])
    return f"Extended {grant.what} {_until(grant)}"


def _end_grant(customer: Customer, given: dict[str, Any]) -> str:
    grant = _still_open(customer, given["grant"])
    if not grants.revoke(customer.subscriber, grant.source):
        raise Refused
    return f"Ended {grant.what}"


def _wait_for_colleagues(customer: Customer) -> None:
    """Let staff who act on what the subscriber was given act one after the other: each customer has a lane of its own,
    and grants are the subscriber's.
    """
    theirs = Customer.objects.filter(subscriber=customer.subscriber_id).order_by("pk")
    list(theirs.select_for_update(no_key=True).values_list("pk"))


def _still_open(customer: Customer, chosen: Grant) -> Grant:
    _wait_for_colleagues(customer)
    grant = next((grant for grant in in_force(customer) if grant.pk == chosen.pk), None)
    if grant is None:
        raise Refused
    return grant


def _until(grant: Grant) -> str:
    return f"until {moment(grant.until)}" if grant.until else "for good"


def _about_extension(customer: Customer) -> list[str]:
    return ["Its end moves to the day that you choose, sooner or later than now. Nothing changes at Stripe."]


def _about_end(customer: Customer) -> list[str]:
    return ["It ends now. What is paid for and what else was given stay."]


def _has_grant(customer: Customer) -> bool:
    return bool(in_force(customer))


def in_force(customer: Customer) -> list[Grant]:
    return [grant for grant in staff_forms.open_grants(customer) if grant.is_in_force(clock.now())]


def _may_be_given(customer: Customer) -> bool:
    subscriber = customer.subscriber_id
    return subscriber is not None and not AccountDeletion.objects.filter(subscriber=subscriber).exists()


# Payments that bought nothing


def _has_payment(customer: Customer) -> bool:
    return nothing.waiting().filter(customer=customer).exists()


def _about_refund(customer: Customer) -> list[str]:
    return [
        "This payment bought nothing: its subscription had ended, or stays unpaid. Stripe refunds all of it.",
        "The subscriber gets a mail about the refund.",
    ]


def _refund(customer: Customer, given: dict[str, Any]) -> str:
    payment = _still_waiting(given["payment"])
    nothing.owe_refund(customer, payment)
    return f"Refunded the payment of {payment.invoice_id}"


def _about_keeping(customer: Customer) -> list[str]:
    return [
        "The money stays with us, for example because it was owed. Give access or write to the subscriber yourself."
    ]


def _keep(customer: Customer, given: dict[str, Any]) -> str:
    payment = _still_waiting(given["payment"])
    payment.kept_at = clock.now()
    payment.save(update_fields=["kept_at"])
    return f"Kept the payment of {payment.invoice_id}"


def _still_waiting(chosen: Payment) -> Payment:
    payment = nothing.waiting().filter(pk=chosen.pk).first()
    if payment is None:
        raise Refused
    return payment


# Invoices that wait for money


def _has_unpaid(customer: Customer) -> bool:
    return not _is_gone(customer) and staff_forms.voidable(customer).exists()


def _about_voiding(customer: Customer) -> list[str]:
    return [
        "Stripe voids the invoice. It can't be paid any more.",
        "If it belongs to a subscription, Stripe decides whether the subscription continues, and access follows.",
    ]


def _void(customer: Customer, given: dict[str, Any]) -> str:
    invoice = staff_forms.voidable(customer).filter(pk=given["invoice"].pk).first()
    if invoice is None:
        raise Refused
    reference = invoice.subscription_id or invoice.pk
    lanes.writes.owe(customer, invoice.pk, reference, StripeWrite.Action.CLOSE_INVOICE)
    return f"Voided the invoice {invoice.pk}"


# A price that no plan knows


def _has_unknown_price(customer: Customer) -> bool:
    return not _is_gone(customer) and bool(doubts.unknown_of(customer))


def _about_mapping(customer: Customer) -> list[str]:
    said = [
        "The price belongs to that plan from now on, for everybody who pays it.",
        "Its other customers follow with the next full sync, or when you refresh them.",
    ]
    if definitions.is_from_settings():
        said.append("The plans are defined by BILLING_PLANS: for a plan that is not listed, add it there first.")
    return said


def _map_price(customer: Customer, given: dict[str, Any]) -> str:
    """Give the price to a plan, unless a colleague has given it to another one: on another customer's page it is
    offered until that customer is refreshed."""
    if Price.objects.filter(pk=given["price"]).exclude(plan=given["plan"]).exists():
        raise Refused
    found = fetch.price(given["price"])
    if found is None or catalogue.give_price(found, given["plan"]) is None:
        raise Refused
    subscriptions.refresh_rows(customer)
    return f"Said that the price {given['price']} buys {given['plan']}"


def _about_keeping_price(customer: Customer) -> list[str]:
    return [
        "Access stays as it is, and Stripe goes on billing.",
        "The doctor and the sync name this price of this customer no more.",
    ]


def _keep_price(customer: Customer, given: dict[str, Any]) -> str:
    if not doubts.keep(customer, given["price"]):
        raise Refused
    return f"Kept the price {given['price']}, which belongs to no plan"


# Trials


def _done(words: str) -> str:
    if not words:
        raise Refused
    return words


# Refresh


def _about_refresh(customer: Customer) -> list[str]:
    return [
        "This reads the subscription from Stripe as it is now and updates access, as a webhook would.",
        "The hourly sync finds events that never arrived.",
    ]


def _refresh(customer: Customer, given: dict[str, Any]) -> str:
    before = customer.subscription.status
    after = subscriptions.refresh(customer).status
    changed = f"{before} to {after}" if before != after else f"still {after}"
    return f"Refreshed from Stripe ({changed})"


# End a customer whom Stripe does not know


def _about_unknown(customer: Customer) -> list[str]:
    return [
        "Access ends, and the subscriber can buy anew, as a new customer at Stripe. Payments and refunds stay here.",
        "Nothing is changed at Stripe. If the customer lives in another Stripe account, that account goes on billing.",
    ]


def _end_unknown(customer: Customer, given: dict[str, Any]) -> str:
    """End the customer, unless our key reaches them after all."""
    if not stripe_account.is_elsewhere(customer):
        try:
            fetch.customer(customer.pk)
        except NoSuchCustomer:
            pass
        else:
            raise Refused
    subscriptions.end_for_deleted_customer(customer)
    return "Ended the customer, whom Stripe does not know"


def _is_unknown(customer: Customer) -> bool:
    return not _is_gone(customer) and (customer.missing_since is not None or stripe_account.is_elsewhere(customer))


def _is_gone(customer: Customer) -> bool:
    return customer.deleted_at is not None


def _is_here(customer: Customer) -> bool:
    return not _is_gone(customer)


HOLD = Action(
    "hold", "hold_customer", "Place a hold", staff_forms.ReasonForm, _about_hold, _has_no_staff_hold, _place_hold
)
RELEASE = Action(
    "release",
    "release_customer",
    "Release a hold",
    staff_forms.ReleaseForm,
    _about_release,
    _has_hold,
    _release_hold,
)
GRANT = Action("grant", "grant_customer", "Give access", staff_forms.GrantForm, _about_grant, _may_be_given, _give)
EXTEND_GRANT = Action(
    "extend-grant",
    "grant_customer",
    "Extend what was given",
    staff_forms.ExtendForm,
    _about_extension,
    _has_grant,
    _extend,
)
END_GRANT = Action(
    "end-grant",
    "grant_customer",
    "End what was given",
    staff_forms.EndGrantForm,
    _about_end,
    _has_grant,
    _end_grant,
)
REFRESH = Action(
    "refresh", "refresh_customer", "Refresh from Stripe", staff_forms.ReasonForm, _about_refresh, _is_here, _refresh
)
REFUND = Action(
    "refund", "refund_payment", "Refund a payment", staff_forms.PaymentForm, _about_refund, _has_payment, _refund
)
KEEP = Action("keep", "refund_payment", "Keep a payment", staff_forms.PaymentForm, _about_keeping, _has_payment, _keep)
VOID = Action("void", "void_invoice", "Void an invoice", staff_forms.InvoiceForm, _about_voiding, _has_unpaid, _void)
FINALIZE = Action(
    "finalize",
    "finalize_invoice",
    "Finalize an invoice",
    staff_forms.DraftForm,
    tax_actions.about_finalizing,
    tax_actions.has_draft,
    tax_actions.finalize,
)
ACCEPT_TAX_ID = Action(
    "accept-tax-id",
    "judge_taxid",
    "Accept a tax ID",
    staff_forms.TaxIdForm,
    tax_actions.about_accepting,
    tax_actions.has_doubtful_id,
    tax_actions.accept,
)
REMOVE_TAX_ID = Action(
    "remove-tax-id",
    "judge_taxid",
    "Remove a tax ID",
    staff_forms.TaxIdForm,
    tax_actions.about_removing,
    tax_actions.has_doubtful_id,
    tax_actions.remove,
)
MAP_PRICE = Action(
    "map-price",
    "map_price",
    "Say what a price buys",
    staff_forms.MapPriceForm,
    _about_mapping,
    _has_unknown_price,
    _map_price,
)
KEEP_PRICE = Action(
    "keep-price",
    "map_price",
    "Keep a price of no plan",
    staff_forms.UnknownPriceForm,
    _about_keeping_price,
    _has_unknown_price,
    _keep_price,
)
EXTEND_TRIAL = Action(
    "extend-trial",
    "move_trial",
    "Extend the trial",
    staff_forms.ExtendTrialForm,
    trial_moves.about_extending,
    trial_moves.can_move,
    lambda customer, given: _done(trial_moves.extend(customer, given)),
)
END_TRIAL = Action(
    "end-trial",
    "move_trial",
    "End the trial",
    staff_forms.TrialForm,
    trial_moves.about_ending,
    trial_moves.can_move,
    lambda customer, given: _done(trial_moves.end(customer, given)),
)
LET_TRIAL_RUN = Action(
    "let-trial-run",
    "move_trial",
    "Let the trial run",
    staff_forms.ReasonForm,
    trial_moves.about_letting_run,
    trial_moves.waits,
    lambda customer, given: _done(trial_moves.let_run(customer, given)),
)
END_UNKNOWN = Action(
    "end-unknown",
    "end_customer",
    "End a customer whom Stripe does not know",
    staff_forms.ReasonForm,
    _about_unknown,
    _is_unknown,
    _end_unknown,
)
DISCOUNT = Action(
    "discount",
    "discount_customer",
    "Give a discount",
    at_stripe_forms.DiscountForm,
    at_stripe.about_discount,
    at_stripe.has_live,
    refresh_quietly,
    at_stripe.give_discount,
    at_stripe.preview_discount,
)
END_DISCOUNT = Action(
    "end-discount",
    "discount_customer",
    "End a discount",
    at_stripe_forms.EndDiscountForm,
    at_stripe.about_end_of_discount,
    at_stripe.has_discount,
    refresh_quietly,
    at_stripe.end_discount,
    at_stripe.preview_end_of_discount,
)
DISCOUNT_LINK = Action(
    "discount-link",
    "discount_customer",
    "Make a link with a discount",
    at_stripe_forms.LinkForm,
    at_stripe.about_link,
    at_stripe.may_buy,
    refresh_quietly,
    at_stripe.make_link,
)
PAUSE = Action(
    "pause",
    "pause_customer",
    "Pause payments",
    at_stripe_forms.PauseForm,
    at_stripe.about_pause,
    at_stripe.may_pause,
    refresh_quietly,
    at_stripe.pause,
    at_stripe.preview_pause,
)
RESUME = Action(
    "resume-payments",
    "pause_customer",
    "Resume payments",
    at_stripe_forms.ResumeForm,
    at_stripe.about_resuming,
    at_stripe.has_pause,
    refresh_quietly,
    at_stripe.resume,
)
ADD_ONS = Action(
    "add-ons",
    "change_add_ons",
    "Change add-ons",
    add_on_actions.AddOnForm,
    add_on_actions.about,
    add_on_actions.may_change,
    refresh_quietly,
    add_on_actions.change,
    add_on_actions.preview,
)
ACTIONS = {
    action.name: action
    for action in (
        REFRESH,
        GRANT,
        EXTEND_GRANT,
        END_GRANT,
        HOLD,
        RELEASE,
        REFUND,
        KEEP,
        VOID,
        EXTEND_TRIAL,
        END_TRIAL,
        LET_TRIAL_RUN,
        FINALIZE,
        ACCEPT_TAX_ID,
        REMOVE_TAX_ID,
        DISCOUNT,
        END_DISCOUNT,
        DISCOUNT_LINK,
        PAUSE,
        RESUME,
        ADD_ONS,
        MAP_PRICE,
        KEEP_PRICE,
        *further_actions.ALL,
        END_UNKNOWN,
    )
}


def offered(request: HttpRequest, customer: Customer) -> list[Action]:
    return [action for action in ACTIONS.values() if action.is_allowed(request) and action.is_possible(customer)]
