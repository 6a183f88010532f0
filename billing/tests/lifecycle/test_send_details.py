"""A detail that Stripe refuses is left out and told, and the others are written; any other refusal is raised."""

import pytest
import stripe

from billing.lifecycle import send_details
from billing.stripe_client import NoSuchCustomer, NoTaxAddress, StripeUnavailable

PATH = "/v1/customers/cus_ada/tax_ids"


def refusal(param, words="No.", kind=stripe.InvalidRequestError):
    return kind(words, param)


def sent(details, *errors):
    """Return the details written in the end, those refused, and all tries; Stripe answers with these errors first."""
    tries, left = [], list(errors)

    def write(given):
        tries.append(dict(given))
        if left:
            raise left.pop(0)
        return "answer"

    return (*send_details.send(details, write), tries)


DETAILS = {"name": "Ada", "phone": "1", "address": {"city": "x"}}


def test_what_stripe_takes_is_written_at_once():
    assert sent(DETAILS) == ("answer", {}, [DETAILS])


def test_what_it_refuses_is_left_out_and_told_and_the_rest_is_written():
    errors = (refusal("phone", "Not a number."), refusal("address[city]", "No such place."))
    answer, refused, tries = sent(DETAILS, *errors)
    assert (answer, refused) == ("answer", {"phone": "Not a number.", "address": "No such place."})
    assert tries == [DETAILS, {"name": "Ada", "address": {"city": "x"}}, {"name": "Ada"}]
    assert len(DETAILS) == 3, "what was given is not changed"


def test_a_place_that_cannot_be_taxed_is_the_address():
    assert sent(DETAILS, refusal(None, "No place.", NoTaxAddress))[1] == {"address": "No place."}


@pytest.mark.parametrize("param", [None, "", "email", "phone_2"])
def test_a_refusal_that_names_none_of_them_is_raised(param):
    with pytest.raises(stripe.InvalidRequestError):
        sent(DETAILS, refusal(param))


@pytest.mark.parametrize("error", [NoSuchCustomer("No such customer", "phone"), StripeUnavailable("away")])
def test_of_a_customer_who_is_gone_and_in_an_outage_nothing_is_left_out(error):
    with pytest.raises(type(error)):
        sent(DETAILS, error)


def test_a_silent_refusal_is_told_in_its_own_words():
    error = refusal("phone", None)
    assert sent(DETAILS, error)[1] == {"phone": str(error)}


# Tax ids


@pytest.fixture
def calls(monkeypatch):
    """The writes; Stripe has one VAT id and one of another kind, and refuses what `refuses` names."""
    made, has = [], [{"id": "txi_1", "type": "eu_vat", "value": "DE1"}, {"id": "txi_9", "type": "us_ein", "value": "9"}]

    def post(path, idempotency_key, **params):
        made.append(("post", path, idempotency_key, params))
        if params["value"].startswith("bad"):
            raise refusal("value", "Not valid.")
        if params["value"].startswith("gone"):
            raise NoSuchCustomer("No such customer", None)

    monkeypatch.setattr(send_details.stripe_client, "get", lambda path, limit: {"data": has} if path == PATH else None)
    monkeypatch.setattr(send_details.stripe_client, "post", post)
    monkeypatch.setattr(
        send_details.stripe_client,
        "delete",
        lambda path, idempotency_key: made.append(("delete", path, idempotency_key)),
    )
    return made


def vat(value):
    return {"type": "eu_vat", "value": value}


def added(value, key="key"):
    return ("post", PATH, f"{key}:eu_vat:{value}"[:255], {"type": "eu_vat", "value": value})


REMOVED = ("delete", f"{PATH}/txi_1", "key:remove:txi_1")


@pytest.mark.parametrize(
    ("wanted", "made", "refused"),
    [
        ([], [], {}),
        ([vat("DE1")], [], {}),
        ([vat("DE2")], [added("DE2"), REMOVED], {}),
        ([vat("DE1"), vat("DE2")], [added("DE2")], {}),
        ([vat("DE3"), vat("DE2")], [added("DE2"), added("DE3"), REMOVED], {}),
        ([{"type": "gb_vat", "value": "1"}],
         [("post", PATH, "key:gb_vat:1", {"type": "gb_vat", "value": "1"})], {}),
        ([vat("bad")], [added("bad")], {"tax_id_data": "eu_vat: Not valid."}),
        ([vat("bad"), vat("DE2")], [added("DE2"), added("bad")], {"tax_id_data": "eu_vat: Not valid."}),
    ],
)  # fmt: skip
def test_the_ids_of_a_kind_become_the_wanted_ones_and_those_of_others_stay(calls, wanted, made, refused):
    assert send_details.write_tax_ids("cus_ada", wanted, "key") == refused
    assert calls == made


def test_of_a_customer_who_is_gone_no_id_is_refused_and_a_key_is_no_longer_than_stripe_takes(calls):
    with pytest.raises(NoSuchCustomer):
        send_details.write_tax_ids("cus_ada", [vat("gone")], "key")
    calls.clear()
    send_details.write_tax_ids("cus_ada", [vat("x" * 300)], "key")
    assert calls[0] == added("x" * 300)
    assert len(calls[0][2]) == 255


def test_refusals_are_told_in_one_text_by_name():
    assert send_details.in_words({"phone": "No.", "address": "Gone."}) == "address: Gone. phone: No."
    assert send_details.in_words({}) == ""
