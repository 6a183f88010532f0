"""A second step at the door of the admin: a code from an app, a passkey, or a recovery code. django-otp keeps them."""
