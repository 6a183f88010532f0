"""Worker processes made to be killed: a nursery forks them from one loaded Django, so that a new one costs little.

    python -m config.tests.convergence.workers

It takes commands on stdin, one a line, and answers each with a line: `start N`, `kill` (-9 to one, which is replaced),
`freeze` (SIGSTOP to one), `thaw`, `stop` (-9 to all). A worker does what qcluster's do: it takes tasks from the broker,
runs them and acknowledges them; each sweeps now and then.
"""

import contextlib
import gc
import os
import random
import signal
import subprocess
import sys
import time
import traceback
from threading import Lock

SWEEP_EVERY = 3.0


class Workers:
    """The nursery as its user sees it. `env` is that of the processes, `log` takes what they complain of."""

    def __init__(self, env, log):
        self.lock = Lock()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "config.tests.convergence.workers"],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            bufsize=1,
        )

    def tell(self, command):
        with self.lock:
            self.process.stdin.write(f"{command}\n")
            answer = self.process.stdout.readline().strip()
        assert answer == "ok", f"{command}: {answer or 'the workers did not start'}"

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


class Nursery:
    def __init__(self):
        self.children = set()
        self.frozen = set()
        self.deaths = []

    def start(self, number):
        for _ in range(int(number)):
            self._fork()

    def _fork(self):
        child = os.fork()
        if not child:
            _work_forever()
        self.children.add(child)

    def kill(self):
        self._end(random.choice(sorted(self.children)))
        self._fork()

    def _end(self, child):
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        self.children.discard(child)
        self.frozen.discard(child)
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            self.deaths.append(status)

    def freeze(self):
        child = random.choice(sorted(self.children))
        os.kill(child, signal.SIGSTOP)
        self.frozen.add(child)

    def thaw(self):
        for child in self.frozen:
            os.kill(child, signal.SIGCONT)
        self.frozen.clear()

    def stop(self):
        for child in sorted(self.children):
            self._end(child)

    def obey(self, line):
        command, *arguments = line.split()
        getattr(self, command)(*arguments)
        deaths, self.deaths = self.deaths, []
        return f"a worker died by itself: {deaths}" if deaths else "ok"


def _warm_up():
    """Compile the templates of all mails, and what renders them, once for all children, who share this memory."""
    from django.db import connections

    from notifications.gallery import Wanted
    from notifications.samples import SAMPLES

    for sample in SAMPLES:
        Wanted(sample, "", "").rendered()
    connections.close_all()
    gc.collect()
    gc.freeze()


def _work_forever():
    """A worker's life, in the child."""
    try:
        _work()
    except BaseException:  # noqa: BLE001 (whatever it dies of is told, and does not run the nursery's code)
        traceback.print_exc()
        os._exit(1)


def _work():
    random.seed()
    swept_at = time.monotonic() + random.uniform(0, SWEEP_EVERY)
    while True:
        work()
        if time.monotonic() - swept_at > SWEEP_EVERY:
            swept_at = time.monotonic()
            for sweep in ("billing.events.sweep.sweep", "notifications.outbox.sweep", "billing.usage.each_minute"):
                _run(sweep, ())


def work():
    """Run the tasks that the broker gives; it waits for one a little."""
    from django_q.brokers import get_broker
    from django_q.signing import SignedPackage

    broker = get_broker()
    for number, package in broker.dequeue() or ():
        task = SignedPackage.loads(package)
        _run(task["func"], task["args"])
        broker.acknowledge(number)


def _run(function, arguments):
    """As django-q does: a task that fails is complained of, and gone from the queue."""
    from django.utils.module_loading import import_string

    try:
        import_string(function)(*arguments)
    except Exception:  # noqa: BLE001
        traceback.print_exc()


def main():
    import django

    django.setup()
    from importlib import import_module

    for module in ("config.urls", "billing.events.worker", "notifications.outbox", "notifications.rendering"):
        import_module(module)
    _warm_up()
    nursery = Nursery()
    try:
        for line in sys.stdin:
            sys.stdout.write(f"{nursery.obey(line)}\n")
            sys.stdout.flush()
    finally:
        with contextlib.suppress(ProcessLookupError):
            nursery.stop()


if __name__ == "__main__":
    main()
