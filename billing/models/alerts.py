from django.db import models


class Alert(models.Model):
    """What staff are told, one row for each cause: `waiting` counts what happened since they were last mailed."""

    cause = models.CharField(primary_key=True, max_length=100)
    subject = models.CharField(max_length=255)
    text = models.TextField(help_text="About the latest; names ids, and nobody")
    waiting = models.PositiveIntegerField(default=0, help_text="How often since the last mail about it")
    raised_at = models.DateTimeField(help_text="The latest")
    told_at = models.DateTimeField(null=True, blank=True, help_text="When ADMINS were last mailed about it")

    def __str__(self) -> str:
        return self.cause
