"""The second step of the admin's login: a code from an app, a passkey, or a recovery code. django-otp stores them."""
