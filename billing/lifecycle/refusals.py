"""Each refusal that a subscriber may read is an exception: its sentence says what to do. Nothing is changed then."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Refused(Exception):
    """A rule of ours refuses the request. The message is for the subscriber."""

    sentence: str | Promise = ""

    def __init__(self, sentence: str | Promise = "") -> None:
        super().__init__(str(sentence or self.sentence))


class PriceNotOffered(Refused):
    """We do not sell this plan by this interval, or not in this currency."""


class AddOnNotOffered(Refused):
    """We do not sell this add-on with the plan that there is, or not so many of it."""

    sentence = _("We don't sell this with your plan.")


class PriceReplaced(Refused):
    """Stripe refused a price that has changed there, and that we have corrected here since."""

    sentence = _("The price of this plan has just changed. Nothing was charged: look at the new price, then try again.")


class AlreadySubscribed(Refused):
    """There is a live subscription, here or at Stripe."""

    sentence = _("You already have a subscription, and a second one would bill you twice. Change your plan instead.")


class CheckoutReplaced(Refused):
    """Another Checkout of the same customer replaced this one while it was made."""

    sentence = _("Another checkout was started at the same moment. Continue there, or try again.")


class CheckoutMisconfigured(Refused):
    """BILLING_CHECKOUT of the project returned what billing cannot send; staff are alerted."""

    sentence = _(
        "Our checkout is not set up correctly, so the purchase wasn't started. Our team has been notified. Please try "
        "again later."
    )


class TrialTooLong(Refused):
    """The project gives a trial longer than the two years that Stripe takes; staff are alerted."""

    sentence = _("The trial of this plan is not set up correctly. Our team has been notified. Please try again later.")


class GuestsNotServed(Refused):
    """Packs are sold to subscribers only."""

    sentence = _("Please log in or sign up to buy this.")


class AddressRefused(Refused):
    """A guest typed what is no e-mail address."""

    sentence = _("Please enter your e-mail address, such as name@example.com.")


class NotGivable(Refused):
    """Staff, or the worker, cannot give this guest's purchase to the subscriber."""


class AccountClosing(Refused):
    sentence = _("This account is being deleted, so it can no longer buy anything.")


class EmailUnconfirmed(Refused):
    """The project asks for a confirmed address, and this subscriber has none."""

    sentence = _(
        "Your e-mail address is not confirmed yet. Open the link in the e-mail that we sent you, then try again."
    )


class AccessWithheld(Refused):
    """A hold, or a rule of the project, keeps access away: what would be paid now would give nothing."""

    sentence = _(
        "Your access is on hold, so a purchase or a change would give you nothing now. Write to us first. If you do "
        "not want your subscription to renew meanwhile, cancel it."
    )


class NoPaymentMethod(Refused):
    """A paused subscription can only resume if there is something to charge."""

    sentence = _('There is no card to charge. Add one under "Card and address", then resume your subscription.')


class NoSubscription(Refused):
    sentence = _("You have no subscription yet. Choose a plan first.")


class SamePlan(Refused):
    sentence = _("You already have this plan.")


class PaymentOverdue(Refused):
    sentence = _("You have an unpaid invoice. Pay it first, then change your plan.")


class SubscriptionPaused(Refused):
    sentence = _(
        'Your subscription is paused. Add a card under "Card and address" and resume it; then its plan can change.'
    )


class StateUnknown(Refused):
    """Stripe gives the subscription a status that this version does not know."""

    sentence = _("Your subscription is in a state that we can't change here. Write to us, and we'll change it for you.")


class CancellationScheduled(Refused):
    sentence = _("Your subscription is cancelled and will end. Resume it first, then change your plan.")


class ChangePending(Refused):
    sentence = _("Another change of plan is pending. Cancel that change first, then choose again.")


class NoPendingChange(Refused):
    sentence = _("You have no pending change of plan.")


class NotCancelling(Refused):
    sentence = _("Your subscription is not cancelled: it continues as before.")


class EndsNow(Refused):
    """The subscriber asked for the end of the period, and something is unpaid: it would end now instead."""

    sentence = _(
        "An invoice is unpaid, so your subscription can only end now. The invoice ends with it. To stay until the "
        "end of the period, pay the invoice first."
    )


class StalePreview(Refused):
    sentence = _("This proration_date belongs to no recent preview of this change. Ask for a new preview.")


class PaymentDeclined(Refused):
    """The change would have to be paid now, and the card was declined; the plan stays as it was."""

    sentence = _("Your payment was declined. Nothing was changed: use another card and try again.")


class TaxAddressNeeded(Refused):
    """Stripe Tax finds no place for the customer, so that nobody can say what it would cost."""

    sentence = _(
        "We can't work out the tax, because we have no address of yours with a known country and postal code. Nothing "
        'was changed. Enter it under "Card and address", then try again.'
    )


class UnknownCursor(Refused):
    sentence = _("`after` is not an invoice of yours. Start without it.")


class CodeRefused(Refused):
    """A promotion code cannot be used for this purchase. Nothing was begun: the purchase goes on without the code."""

    sentence = _("This code can't be used for this purchase. Leave it out, or use another one.")


class CodeUnknown(CodeRefused):
    """There is no such promotion code, or it was made for somebody else, which nobody is told."""

    sentence = _(
        "We don't recognise this code. Check its spelling. If it was made for you personally, log in first. You can "
        "also buy without it."
    )


class CodeExpired(CodeRefused):
    sentence = _("This code has expired or has been used up. Use another one, or buy without it.")


class CodeOfAnotherCurrency(CodeRefused):
    """The code takes an amount off, and in other currencies than that of the purchase."""


class CodeOfAnotherPlan(CodeRefused):
    sentence = _("This code is not for this plan. Choose another plan, or buy without the code.")


class CodeBelowMinimum(CodeRefused):
    """The code asks for a larger purchase, or has no minimum in this currency."""


class CodeFirstTime(CodeRefused):
    sentence = _("This code is for a first purchase, and you have paid us before. You can buy without it.")


class DiscountUnknown(Refused):
    """Stripe knows neither a coupon nor a promotion code of that name, or it has ended."""

    sentence = _("There is no valid coupon or promotion code of this name. Check its spelling.")


class NoDiscount(Refused):
    sentence = _("This discount has ended already. Nothing was changed.")


class OfferGone(Refused):
    """The offer was taken already, or is not made any more."""

    sentence = _("This offer is no longer available. Nothing was changed.")


class CollectionPaused(Refused):
    """Payments are paused: what would be charged now would be charged to nobody."""

    sentence = _("Your payments are paused. Resume them first, then try again.")


class NotPausable(Refused):
    sentence = _("Your subscription can't be paused as it is now. You can cancel it instead.")


class PauseTooSoon(Refused):
    """Nothing would have been charged until then anyway."""

    sentence = _("Nothing is charged until then anyway. Choose a day after your next payment.")


class PauseTooLong(Refused):
    """The pause would last longer than BILLING_PAUSE_DAYS allows."""


class NotPaused(Refused):
    sentence = _("Your payments are not paused: your subscription continues as before.")


class NotConfirmed(Exception):
    """Stripe was asked and may have done it, but its answer was lost or does not show it yet. Events will tell."""

    sentence = _(
        "We sent this to our payment provider and do not know the outcome yet. Please check again in a moment."
    )

    def __init__(self, sentence: str | Promise = "") -> None:
        super().__init__(str(sentence or self.sentence))


class UnknownCode(Refused):
    sentence = _("We don't recognise this code. Check it for typos.")


class CodeSpent(Refused):
    sentence = _("This code has already been used.")


class CodeOver(Refused):
    sentence = _("This code is no longer valid.")


class PackNotOffered(Refused):
    """We do not sell this pack, not in this currency, or not so many at once."""


class AlreadyOwned(Refused):
    sentence = _("You already own this, so you don't need to buy it again.")
