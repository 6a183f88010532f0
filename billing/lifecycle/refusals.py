"""What a subscriber may be refused, each a kind of its own: its words say what to do. Nothing is changed then."""


class Refused(Exception):
    """A rule of ours says no. The message is for the subscriber."""

    sentence = ""

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence or self.sentence)


class PriceNotOffered(Refused):
    """No such plan, interval or currency is for sale."""


class AlreadySubscribed(Refused):
    """There is a live subscription, here or at Stripe."""

    sentence = "There is a subscription already, and a second one would bill you twice. Change its plan instead."


class CheckoutReplaced(Refused):
    """Another Checkout of the same customer took over while this one was made."""

    sentence = "Another Checkout was started at the same moment. Go on there, or try again."


class AccountClosing(Refused):
    sentence = "This account is being deleted, and nothing can be bought with it any more."


class EmailUnconfirmed(Refused):
    """The project asks for a confirmed address, and this subscriber has none."""

    sentence = "Your e-mail address is not confirmed yet. Open the link in the mail that we sent you, then try again."


class NoSubscription(Refused):
    sentence = "There is no subscription to do this with. Choose a plan first."


class SamePlan(Refused):
    sentence = "This is the plan you have, by the same interval. There is nothing to change."


class PaymentOverdue(Refused):
    sentence = "An invoice is open. Pay it first, then change the plan."


class SubscriptionPaused(Refused):
    sentence = "The subscription is paused. It must go on before its plan can change."


class CancellationScheduled(Refused):
    sentence = "The subscription is cancelled and will end. Resume it first, then change the plan."


class ChangePending(Refused):
    sentence = "Another change of plan is pending. Take it back first, then choose again."


class NoPendingChange(Refused):
    sentence = "No change of plan is pending."


class NotCancelling(Refused):
    sentence = "No cancellation is scheduled: the subscription goes on as it is."


class StalePreview(Refused):
    sentence = "This proration_date was not previewed for this change, or too long ago. Ask for a new preview."


class PaymentDeclined(Refused):
    """The change would have to be paid now, and the card was declined; the plan stays as it was."""

    sentence = "The payment was declined. Nothing was changed: use another card and try again."


class UnknownCursor(Refused):
    sentence = "This is not a place in your list of invoices. Begin without `after`."


class NotConfirmed(Exception):
    """Stripe was asked and may have done it, and its answer about how things stand now does not show it, or is lost.
    Events will tell."""

    sentence = "Our payment provider was asked, and does not answer yet how it went. Look again in a moment."

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence or self.sentence)
