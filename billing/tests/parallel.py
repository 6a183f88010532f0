"""The same thing done by many at the same moment, each on a connection of its own."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connection


def at_once(work, times):
    """Return what each of `times` threads got from `work(number)`: its answer, or the exception it raised."""
    barrier = Barrier(times)

    def run(number):
        try:
            barrier.wait(30)
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        futures = [pool.submit(run, number) for number in range(times)]
    return [future.exception() or future.result() for future in futures]
