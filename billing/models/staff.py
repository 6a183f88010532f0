"""Members of staff keep what they want to see: the weekly digest by mail, and filters of lists that they come back to.

A member of staff is kept by their key as text, since a project's staff need not be its subscribers.
"""

from django.db import models


class DigestReader(models.Model):
    """A row is somebody who wants the weekly digest; `week` is the Monday of the last one that was sent."""

    staff = models.CharField(max_length=64, unique=True, help_text="The key of the member of staff")
    week = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return self.staff


class SavedList(models.Model):
    """A row is a filtered list of the admin that a member of staff has given a name."""

    staff = models.CharField(max_length=64, help_text="The key of the member of staff")
    model = models.CharField(max_length=100, help_text="The list's model, as app.model")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000, help_text="What follows the question mark in the list's address")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["staff", "model", "name"], name="billing_saved_list_once_per_name")
        ]

    def __str__(self) -> str:
        return self.name
