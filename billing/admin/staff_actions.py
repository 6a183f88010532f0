"""Staff have these actions for one customer. Each asks for a reason and needs a permission."""

from typing import Any

from django.http import HttpRequest

from billing import stripe_account, subscriptions
from billing.models import Customer
from billing.stripe_client import NoSuchCustomer, fetch

from . import add_on_actions, at_stripe, at_stripe_forms, further_actions, staff_forms, tax_actions, trial_moves
from .action import Action, is_gone, refresh_quietly
from .grant_actions import END_GRANT, EXTEND_GRANT, GRANT
from .hold_actions import HOLD, RELEASE
from .payment_actions import KEEP, REFUND, VOID
from .price_actions import KEEP_PRICE, MAP_PRICE
from .refused import Refused

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
    return not is_gone(customer) and (customer.missing_since is not None or stripe_account.is_elsewhere(customer))


def _is_here(customer: Customer) -> bool:
    return not is_gone(customer)


REFRESH = Action(
    "refresh", "refresh_customer", "Refresh from Stripe", staff_forms.ReasonForm, _about_refresh, _is_here, _refresh
)
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
