"""`manage.py billing_worker` does without a queue: it finds what waits in the tables of lanes and mails."""


def is_in_database() -> bool:
    return True


def enqueue(task: str, *args: str) -> None:
    """The row that waits is all there is."""


def waiting() -> int:
    return 0
