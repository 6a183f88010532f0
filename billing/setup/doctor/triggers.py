"""This check looks for the triggers by which a change of access is noted at the moment of use."""

from collections.abc import Iterator

from billing.setup import watching

from .findings import Finding, error, ok


def triggers() -> Iterator[Finding]:
    """Find tables whose triggers are missing, as after a restore without them: use would be counted by old plans."""
    if lacking := watching.missing():
        text = f"Triggers that note changes of access are missing on: {', '.join(lacking)}."
        yield error(
            "triggers", text, "Run `manage.py migrate`, which makes them; until then, use may be counted wrongly."
        )
    else:
        yield ok("triggers", "Each change of access is noted by a trigger.")


CHECKS = (triggers,)
