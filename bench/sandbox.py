"""This benchmark measures the sandbox: CPU for each API call, and the CPU and memory that seeding takes.

    python -m bench.sandbox

The sandbox runs in a process of its own, whose CPU time is read; the client's does not count. A figure is the least of
its rounds: whatever else runs on the machine makes the same work take more CPU, and never less.
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

ROOT = Path(__file__).parent.parent
FORM = {"Authorization": "Bearer sk_test_bench", "Content-Type": "application/x-www-form-urlencoded"}
# Milliseconds of CPU a call, and seconds of CPU for the seed, that must not be passed.
TARGETS = {"retrieve": 0.3, "seed": 5.0}


class Server:
    """This is a running sandbox, called over one connection; its CPU and memory are read from the system."""

    def __init__(self, address: str, pid: int) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=600)
        self.pid = pid

    def ask(self, method: str, path: str, body: str = "", headers: dict[str, str] | None = None) -> Any:
        self.connection.request(method, path, body, headers or FORM)
        answer = self.connection.getresponse()
        given = json.loads(answer.read())
        assert answer.status == 200, given
        return given

    def post(self, path: str, **params: Any) -> Any:
        return self.ask("POST", path, urlencode(params))

    def control(self, path: str, **body: Any) -> Any:
        return self.ask("POST", f"/_sandbox/{path}", json.dumps(body), {"Content-Type": "application/json"})

    def cpu(self) -> float:
        """Return the CPU seconds that the threads which live have used so far, to the nanosecond."""
        tasks = Path(f"/proc/{self.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9

    def megabytes(self) -> float:
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def running() -> Iterator[Server]:
    command = [sys.executable, "-m", "stripe_sandbox", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Server(process.stdout.readline().split()[-1], process.pid)
        finally:
            process.terminate()


def per_call(server: Server, call: Callable[[], Any], times: int, rounds: int) -> float:
    """Return the milliseconds of the sandbox's CPU for one call."""
    call()
    spent = []
    for _ in range(rounds):
        before = server.cpu()
        for _ in range(times):
            call()
        spent.append((server.cpu() - before) * 1000 / times)
    return min(spent)


def seeding(server: Server, customers: int) -> float:
    """Return the seconds of CPU that an empty sandbox takes for customers with a subscription each."""
    server.control("reset")
    before = server.cpu()
    server.control("seed", customers=customers, subscriptions=customers)
    return server.cpu() - before


def calls(server: Server) -> dict[str, Callable[[], Any]]:
    price = server.ask("GET", "/v1/prices?limit=1")["data"][0]["id"]
    sub = server.ask("GET", "/v1/subscriptions?limit=1")["data"][0]["id"]
    customer = server.post("/v1/customers", email="bench@example.com", payment_method="pm_card_visa")["id"]
    method = server.ask("GET", f"/v1/customers/{customer}/payment_methods")["data"][0]["id"]
    meter = {"display_name": "Bench", "event_name": "bench", "default_aggregation[formula]": "sum"}
    server.post("/v1/billing/meters", **meter)
    used = {"event_name": "bench", "payload[stripe_customer_id]": customer, "payload[value]": 1}
    bought = {"customer": customer, "items[0][price]": price, "default_payment_method": method}
    return {
        "retrieve": lambda: server.ask("GET", f"/v1/subscriptions/{sub}"),
        "list of 100": lambda: server.ask("GET", "/v1/subscriptions?limit=100"),
        "create customer": lambda: server.post("/v1/customers", email="bench@example.com"),
        "create subscription": lambda: server.post("/v1/subscriptions", **bought),
        "report usage": lambda: server.post("/v1/billing/meter_events", **used),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=10_000, help="customers seeded, each with a subscription")
    parser.add_argument("--calls", type=int, default=100, help="calls a round")
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    with running() as server:
        empty = server.megabytes()
        seed = seeding(server, options.customers)
        memory = server.megabytes() - empty
        seed = min(seed, *(seeding(server, options.customers) for _ in range(2)))
        costs = {
            name: per_call(server, call, options.calls if name != "list of 100" else options.calls // 10 or 1,
                           options.rounds)
            for name, call in calls(server).items()
        }  # fmt: skip
    return report(options.customers, seed, memory, costs)


def report(customers: int, seed: float, memory: float, costs: dict[str, float]) -> int:
    print(f"\n{'':24}{'CPU ms a call':>16}{'at most':>12}")
    for name, cost in costs.items():
        target = f"{TARGETS[name]:.1f}" if name in TARGETS else ""
        print(f"{name:24}{cost:16.2f}{target:>12}")
    allowed = TARGETS["seed"] * max(customers, 1000) / 10_000
    print(
        f"\nseeding {customers:,} customers with a subscription each: {seed:.1f} s of CPU (at most {allowed:.1f}), ",
        end="",
    )
    print(f"{memory:.0f} MB, {memory * 1000 / max(customers, 1):.0f} kB each")
    is_reached = costs["retrieve"] <= TARGETS["retrieve"] and seed <= allowed
    print(f"targets: {'reached' if is_reached else 'missed'}")
    return 0 if is_reached else 1


if __name__ == "__main__":
    sys.exit(main())
