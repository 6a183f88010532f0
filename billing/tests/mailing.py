"""Tests set how mail is sent, whichever names the installed Django has for it."""

from billing import mailer

GRACE = mailer.admins([("Grace", "grace@example.com")])


def send_by(settings, backend, **options):
    for name, value in mailer.mail_settings(backend, **options).items():
        setattr(settings, name, value)
