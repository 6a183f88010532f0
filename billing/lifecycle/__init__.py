"""What we ask of Stripe."""
