"""Staff have these actions about a customer's money, plan and account, beside those of `staff_actions`."""

from . import account_acts, money_acts, money_forms, plan_acts, plan_forms
from .action import Action, refresh_quietly

NOTE = Action(
    "note",
    "note_customer",
    "Write a note",
    account_acts.NoteForm,
    account_acts.about_note,
    account_acts.can_be_noted,
    account_acts.note,
)
REFUND = Action(
    "refund-money",
    "give_back_payment",
    "Refund",
    money_forms.RefundForm,
    money_acts.about_refund,
    money_acts.has_payment,
    money_acts.record_refund,
    money_acts.refund,
    money_acts.preview_refund,
)
CREDIT = Action(
    "credit",
    "credit_customer",
    "Give a credit",
    money_forms.CreditForm,
    money_acts.about_credit,
    money_acts.may_be_credited,
    refresh_quietly,
    money_acts.credit,
    money_acts.preview_credit,
)
INVOICE = Action(
    "invoice",
    "invoice_customer",
    "Send an invoice",
    money_forms.OneOffForm,
    money_acts.about_invoice,
    money_acts.may_be_credited,
    refresh_quietly,
    money_acts.invoice,
    money_acts.preview_invoice,
)
SEND_AGAIN = Action(
    "send-invoice",
    "invoice_customer",
    "Send an invoice again",
    money_forms.SendForm,
    money_acts.about_sending,
    money_acts.has_open_invoice,
    refresh_quietly,
    money_acts.send_again,
)
CANCEL = Action(
    "cancel",
    "cancel_subscription",
    "Cancel the subscription",
    plan_forms.CancelForm,
    plan_acts.about_cancelling,
    plan_acts.may_cancel,
    refresh_quietly,
    plan_acts.cancel_it,
    plan_acts.preview_cancelling,
)
RESUME = Action(
    "resume",
    "cancel_subscription",
    "Undo the cancellation",
    plan_forms.ResumeForm,
    plan_acts.about_resuming,
    plan_acts.is_cancelled,
    refresh_quietly,
    plan_acts.resume,
)
CHANGE = Action(
    "change-plan",
    "switch_plan",
    "Change the plan",
    plan_forms.PlanForm,
    plan_acts.about_change,
    plan_acts.may_change,
    refresh_quietly,
    plan_acts.change_it,
    plan_acts.preview_change,
)
QUANTITY = Action(
    "quantity",
    "switch_plan",
    "Change the quantity",
    plan_forms.QuantityForm,
    plan_acts.about_quantity,
    plan_acts.may_set_quantity,
    refresh_quietly,
    plan_acts.set_quantity,
    plan_acts.preview_quantity,
)
MERGE = Action(
    "merge",
    "link_customer",
    "Link another customer",
    account_acts.MergeForm,
    account_acts.about_merging,
    account_acts.may_merge,
    refresh_quietly,
    account_acts.merge,
    account_acts.preview_merging,
)
ALL = (NOTE, REFUND, CREDIT, INVOICE, SEND_AGAIN, CANCEL, RESUME, CHANGE, QUANTITY, MERGE)
