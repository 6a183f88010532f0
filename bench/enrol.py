"""This program fills our ledger in one go with the sandbox's customers and their events, read as JSON from standard
input.

    python -m bench.enrol < {"customers": {"cus_1": "ada@example.com"}, "events": [...]}

It prints a line once it has committed: from then on the queue sees the work.
"""

import json
import sys

import django
from django.db import transaction


def main() -> None:
    django.setup()
    from django.contrib.auth import get_user_model

    from billing.events import Event, ledger
    from billing.models import Customer

    given = json.load(sys.stdin)
    with transaction.atomic():
        for customer, email in given["customers"].items():
            user = get_user_model().objects.create(email=email)
            Customer.objects.create(pk=customer, subscriber=user, email=email)
        for event in given["events"]:
            assert ledger.record(Event.of(event)) == "received", event["type"]
    print("committed", flush=True)


if __name__ == "__main__":
    main()
