"""The admin asks for a second step: a code from an app, a passkey, or a recovery code. django-otp stores them."""
