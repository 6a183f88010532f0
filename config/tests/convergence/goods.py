"""The project of the story delivers a pack of its own: each delivery is one more row, so that a second one is seen."""

from django.apps import AppConfig
from django.db import connection

TABLE = "story_goods"


class Goods(AppConfig):
    """Only an app connects receivers in every process."""

    name = "config.tests.convergence"
    label = "story"

    def ready(self):
        connect()


def connect():
    from billing import signals

    signals.purchase_completed.connect(deliver, dispatch_uid="story deliver")
    for signal in (signals.purchase_reversed, signals.purchase_restored):
        signal.connect(take, dispatch_uid="story take")


def make_table():
    _execute(f"CREATE TABLE IF NOT EXISTS {TABLE} (purchase text, quantity int, taken int)")


def deliver(purchase, **_):
    if purchase.pack.is_own:
        _execute(f"INSERT INTO {TABLE} VALUES (%s, %s, 0)", str(purchase.pk), purchase.quantity)


def take(purchase, taken, **_):
    if purchase.pack.is_own:
        _execute(f"UPDATE {TABLE} SET taken = %s WHERE purchase = %s", taken, str(purchase.pk))


def of(purchase):
    """Return (quantity, taken) of each delivery."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT quantity, taken FROM {TABLE} WHERE purchase = %s", [str(purchase.pk)])
        return cursor.fetchall()


def _execute(statement, *params):
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
