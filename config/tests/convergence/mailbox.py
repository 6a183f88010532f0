"""Mail goes here while convergence is tested: a line per mail in a file that outlives whoever wrote it."""

import os
from pathlib import Path

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend


class Mailbox(BaseEmailBackend):
    def send_messages(self, messages):
        for message in messages:
            line = f"{message.extra_headers['Message-ID']}\n".encode()
            descriptor = os.open(settings.MAILBOX, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(descriptor, line)
            os.close(descriptor)
        return len(messages)


def received(path):
    """The Message-ID of each mail, in the order of their arrival."""
    return Path(path).read_text().splitlines() if Path(path).exists() else []
