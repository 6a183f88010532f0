"""Taxes are computed here, by the user's table or by tax rates, for where a customer is and what tax ids they have."""
