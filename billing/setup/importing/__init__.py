"""Customers that a Stripe account had before this project did: linked to subscribers, and taken over unannounced."""
