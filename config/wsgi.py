"""gunicorn serves this module: `gunicorn config.wsgi`. It runs the system checks first, since a server does not."""

import os
import sys

from django.core.checks import ERROR, run_checks
from django.core.wsgi import get_wsgi_application

# Gunicorn takes this exit code of a worker as "stop", any other as "start it again".
BOOT_ERROR = 3


def refuse_on_errors() -> None:
    errors = [message for message in run_checks() if message.is_serious(ERROR) and not message.is_silenced()]
    if errors:
        print("The site does not start:", *errors, sep="\n", file=sys.stderr)  # noqa: T201
        raise SystemExit(BOOT_ERROR)


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()
refuse_on_errors()
