"""Banks and people act on a payment afterwards, on one that is picked: answers, credits, refunds, disputes."""

from .asking import Asking


class Afterwards(Asking):
    """The part of a history that moves money once more."""

    def bank_answers(self) -> None:
        rows = self.state.table("payment_intent").rows.values()
        waiting = [row for row in rows if row["status"] == "processing"]
        if waiting:
            answer = self.one_of(
                {"outcome": "succeeded"},
                {"outcome": "failed"},
                {"outcome": "failed", "code": "insufficient_funds"},
                {"outcome": "failed", "code": "debit_not_authorized"},
            )
            self.control(f"payments/{self.choose(waiting)['id']}", **answer)

    def set_debit_days(self) -> None:
        self.control("settings", debit_days=self.one_of(0, 1, 5, 14))

    def credit(self) -> None:
        invoice = self.pick("invoice")
        if invoice:
            amount = self.one_of(100, 2000, invoice["amount_remaining"] or invoice["amount_paid"] or 1)
            part = self.one_of({}, {"credit_amount": amount}, {"refund_amount": amount}, {"out_of_band_amount": amount})
            self.post("credit_notes", invoice=invoice["id"], amount=amount, **part)

    def pay_in_part(self) -> None:
        """Attach a payment to an invoice, before it is confirmed or after."""
        invoice = self.pick("invoice")
        amount = invoice and self.one_of(100, 2000, invoice["amount_remaining"] or 1)
        if not invoice or not amount:
            return
        of = {"customer": invoice["customer"], "currency": invoice["currency"], "payment_method": "pm_card_visa"}
        intent = self.post("payment_intents", amount=amount, **of, confirm=self.one_of("true", "false"))
        if "id" in intent:
            self.post(f"invoices/{invoice['id']}/attach_payment", payment_intent=intent["id"])
            self.post(f"payment_intents/{intent['id']}/{self.one_of('confirm', 'cancel')}")

    def void_credit(self) -> None:
        note = self.pick("credit_note")
        if note:
            self.post(f"credit_notes/{note['id']}/void")

    def refund(self) -> None:
        charge = self.pick("charge")
        if charge:
            self.post("refunds", charge=charge["id"], **self.one_of({}, {"amount": 100}, {"amount": 2000}))

    def fail_refund(self) -> None:
        refund = self.pick("refund")
        if refund:
            self.control(f"refunds/{refund['id']}/fail")

    def dispute(self) -> None:
        charge = self.pick("charge")
        if charge:
            self.control("disputes", charge=charge["id"], inquiry=self.one_of(True, False))

    def move_dispute(self) -> None:
        dispute = self.pick("dispute")
        if dispute:
            self.control(
                f"disputes/{dispute['id']}", status=self.one_of("under_review", "won", "lost", "warning_closed")
            )
