"""These rows count objects that could not be written into dj-stripe's tables."""

from django.db import models


class MirrorFailure(models.Model):
    """A row counts failures to write an object into dj-stripe's tables. Access does not depend on its tables."""

    object_id = models.CharField(primary_key=True, max_length=255)
    kind = models.CharField(max_length=40)
    error = models.CharField(max_length=200, help_text="The kind of error; the log has its words")
    times = models.PositiveIntegerField(default=1)
    failed_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.object_id
