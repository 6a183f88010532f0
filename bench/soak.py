"""This program repeats the convergence test with new lives in every batch, until one does not end as Stripe has it.

    python -m bench.soak --minutes 30 --workers 4

It prints a line for each batch. At the first mismatch it names the life and the command that repeats that life alone
(`--replay`, as often as `--minutes` allow), and ends with 1.
"""

import argparse
import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.postgres import postgres_server


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--workers", type=int, default=3, help="0: no storm, this process works alone")
    parser.add_argument("--lives", type=int, default=40, help="how many in a batch")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="seed of the first batch")
    parser.add_argument("--replay", metavar="JSON", help="repeat a batch, as a failure prints it")
    options = parser.parse_args()
    with postgres_server() as url, tempfile.TemporaryDirectory(prefix="soak-") as folder:
        _set_up(url)
        return soak(options, Path(folder))


def _set_up(url: str) -> None:
    os.environ |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"}
    import django

    django.setup()
    logging.disable(logging.CRITICAL)
    from billing.setup import database

    database.create_tables()


def soak(options: argparse.Namespace, folder: Path) -> int:
    from config.tests.convergence import replaying, site, storm

    ends_at = time.monotonic() + options.minutes * 60
    with site.running(folder) as running:
        for batch in _batches(options):
            outcome = storm.weather(running, batch, options.workers)
            print(f"seed {batch.seed}: {outcome.line()}", flush=True)
            if outcome.wrong:
                print(replaying.told(batch, outcome))
                return 1
            if time.monotonic() > ends_at:
                return 0
    return 0


def _batches(options: argparse.Namespace) -> Iterator[Any]:
    from config.tests.convergence import lives

    seed = options.seed
    while True:
        yield lives.Batch.from_json(options.replay) if options.replay else lives.batch(seed, options.lives)
        seed += 1


if __name__ == "__main__":
    sys.exit(main())
