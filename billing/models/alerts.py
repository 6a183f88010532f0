"""Alerts to staff are kept here, so that each cause is mailed once in a while."""

from django.db import models


class Alert(models.Model):
    """An alert tells staff of one cause. `waiting` counts how often it happened since the last mail."""

    cause = models.CharField(primary_key=True, max_length=100)
    subject = models.CharField(max_length=255)
    text = models.TextField(help_text="The latest text; it names ids, never people")
    waiting = models.PositiveIntegerField(default=0, help_text="How often it happened since the last mail")
    raised_at = models.DateTimeField(help_text="When it last happened")
    told_at = models.DateTimeField(null=True, blank=True, help_text="When ADMINS were last mailed about this")

    def __str__(self) -> str:
        return self.cause
