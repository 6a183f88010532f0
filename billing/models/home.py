"""A row remembers for which site the database was set up, so that a copy of it is known for one."""

from django.db import models


class Home(models.Model):
    """There is one row at most: none where the key was never a live one. `stripe_client.home` reads and writes it."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    host = models.CharField(max_length=255)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return self.host
