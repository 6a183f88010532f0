"""A Checkout offers ways to ship what is bought; the buyer chooses one, the first unless another is named."""

from ..books import shipping_costs
from ..errors import invalid
from ..http.contract import Params
from ..resources import shipping_rates
from ..store import Object, State

MOST = 5


def offer(state: State, session: Object, given: list[Params]) -> None:
    if len(given) > MOST:
        raise invalid(f"A Checkout Session has at most {MOST} shipping options.", "shipping_options")
    rates = [_rate(state, option, f"shipping_options[{index}]") for index, option in enumerate(given)]
    for index, rate in enumerate(rates):
        if rate["fixed_amount"]["currency"] != session["currency"]:
            raise invalid(
                f"The shipping rate must be in the currency of the session ({session['currency']}).",
                f"shipping_options[{index}]",
            )
    session["shipping_options"] = [
        {"shipping_amount": rate["fixed_amount"]["amount"], "shipping_rate": rate["id"]} for rate in rates
    ]
    session["shipping_cost"] = shipping_costs.cost(rates[0], []) if rates else None


def _rate(state: State, option: Params, path: str) -> Object:
    if ("shipping_rate" in option) == ("shipping_rate_data" in option):
        raise invalid("Give either `shipping_rate` or `shipping_rate_data`.", path)
    if "shipping_rate" in option:
        return state.get("shipping_rate", option["shipping_rate"], f"{path}[shipping_rate]")
    return shipping_rates.create(state, option["shipping_rate_data"])


def choose(state: State, session: Object, rate: str) -> None:
    """Choose another way to ship; the session is counted anew afterwards."""
    option = next((option for option in session["shipping_options"] if option["shipping_rate"] == rate), None)
    if option is None:
        raise invalid(f"This Checkout does not offer the shipping rate {rate}.", "shipping_rate")
    session["shipping_cost"] = shipping_costs.cost(state.get("shipping_rate", rate), [])
