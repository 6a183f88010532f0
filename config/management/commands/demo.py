"""`manage.py demo` starts sandbox, web and worker on this machine and tells one story step by step."""

import os
import signal
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import CommandError

from billing import clock
from billing.management.terminal import TerminalCommand, silence
from config.demo import ending, story
from config.demo.ending import Ended
from config.demo.processes import PortInUseError, Processes, StartError
from config.demo.stage import Stage, StepError

FOLDERS = Path(settings.BASE_DIR) / "tmp"
DATABASE = "db.sqlite3"
WEBHOOK_SECRET = "whsec_demo"  # noqa: S105  opens nothing but the demo
ADMIN_EMAIL, ADMIN_PASSWORD = "admin@example.com", "billing-demo"


class Command(TerminalCommand):
    help = "Run sandbox, web and worker, tell thirteen subscribers' stories, and leave the site open until Ctrl-C."
    is_open = False
    requires_system_checks: tuple[str, ...] = ()  # `setup` runs them, in the demo's environment

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--exit",
            action="store_true",
            help="end after the story, with exit code 0 if every step had the right outcome",
        )
        parser.add_argument("--port", type=port, default=8000, help="where the site is served (8000)")
        parser.add_argument("--sandbox-port", type=port, default=12111, help="where the sandbox is served (12111)")

    def handle(self, *args: Any, **options: Any) -> None:
        site = f"http://127.0.0.1:{options['port']}"
        sandbox = f"http://127.0.0.1:{options['sandbox_port']}"
        folder = FOLDERS / f"demo-{options['port']}"
        processes = Processes(folder)
        try:
            self._run(site, sandbox, processes, options)
        except (PortInUseError, StartError) as error:
            raise CommandError(str(error)) from None
        except StepError as error:
            raise CommandError(f"The story went wrong at a step: {error}\nLogs are in {folder}.") from None
        except Ended as ended:
            self._print_end(ended)
        finally:
            processes.stop()

    def _run(self, site: str, sandbox: str, processes: Processes, options: dict[str, Any]) -> None:
        try:
            processes.claim_ports(port=options["port"], sandbox_port=options["sandbox_port"])
            if Path(settings.DATABASES["default"]["NAME"]) != processes.folder / DATABASE:
                run_again_in_demo_environment(site, sandbox, processes.folder)
            ending.heed()
            self._start(processes, options["port"], options["sandbox_port"])
            story.tell(Stage(site, sandbox), self.stdout)
            self.stdout.write(self.style.SUCCESS("\nEvery step had the right outcome."))
            if not options["exit"]:
                self._leave_open(site, sandbox, processes)
        finally:
            ending.ignore()

    def _print_end(self, ended: Ended) -> None:
        """Print how the demo ended. Ctrl-C closes the open site; any other end sets the exit code."""
        if ended.number == signal.SIGHUP:
            silence()
        self.stdout.write("\nStopping.")
        self.stdout.flush()
        if not (self.is_open and ended.number == signal.SIGINT):
            sys.exit(128 + ended.number)

    def _start(self, processes: Processes, port: int, sandbox_port: int) -> None:
        site, sandbox = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{sandbox_port}"
        self.stdout.write("Starting the sandbox, the site and the worker ...")
        self.stdout.flush()
        door = f"{site}/api/v1/webhooks/stripe"
        processes.start(
            "sandbox",
            ["stripe_sandbox", "--port", str(sandbox_port), "--forward", door, "--webhook-secret", WEBHOOK_SECRET],
        )
        processes.run_here("setup")
        processes.start("web", ["-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}", *GUNICORN])
        processes.start("worker", ["qcluster"])
        get_user_model().objects.create_superuser(ADMIN_EMAIL, ADMIN_PASSWORD)
        processes.wait_for(f"{sandbox}/_sandbox/", "sandbox")
        processes.run_here("setup_stripe", "--yes")
        processes.wait_for(f"{site}/readyz", "web")

    def _leave_open(self, site: str, sandbox: str, processes: Processes) -> None:
        self.is_open = True
        self.stdout.write(
            f"\n  The site   {site}/          e.g. as ada@example.com, password {story.PASSWORD}\n"
            f"  Admin      {site}/admin/    {ADMIN_EMAIL}, password {ADMIN_PASSWORD}\n"
            f"  API        {site}/api/docs\n"
            f"  Sandbox    {sandbox}/\n"
            f"  Mails sent {site}/admin/billing_mail/mail/, their text also in {processes.folder / 'worker.log'}\n"
            f"  Every mail {site}/admin/billing_mail/preview/    the gallery: each kind, in each language\n\n"
            f"Dates on every page go by the sandbox's clock. It says {_sandbox_time()} UTC: the story moved it ahead.\n"
            f"Buttons at {sandbox}/ move it further.\n"
            "Ctrl-C stops everything."
        )
        self.stdout.flush()
        processes.wait()


# The application is read once, for both workers.
GUNICORN = ["--worker-class", "gthread", "--workers", "2", "--threads", "4", "--no-control-socket", "--preload"]


def port(text: str) -> int:
    number = int(text)
    if not 0 < number < 65_536:
        raise ValueError
    return number


def run_again_in_demo_environment(site: str, sandbox: str, folder: Path) -> NoReturn:
    """Start the command again in the demo's environment: it has its own database and Stripe and leaves yours alone."""
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob(f"{DATABASE}*"):
        leftover.unlink()
    # Set to nothing, not taken out: a .env file would put it back.
    unset = {f"{name}{suffix}": "" for name in NOT_FOR_THE_DEMO for suffix in ("", "_FILE")}
    environment = (
        os.environ
        | unset
        | {
            "DJANGO_DEBUG": "true",
            # Opening a file for each request and task costs a tenth of all.
            "DATABASE_URL": f"sqlite:///{folder / DATABASE}?conn_max_age=600",
            "SITE_URL": site,
            "STRIPE_API_BASE": sandbox,
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        }
    )
    sys.stdout.flush()
    ending.postpone()
    os.execve(sys.executable, [sys.executable, *sys.argv], environment)  # noqa: S606  this program again


# Its mails go to made-up people: none leaves by a real server.
NOT_FOR_THE_DEMO = {
    "ADMINS",
    "EMAIL_BACKEND",
    "EMAIL_URL",
    "MONITORING_TOKEN",
    "REDIS_URL",
    "STRIPE_SECRET_KEY",
    "STRIPE_LIVE_MODE",
    "DJANGO_SECRET_KEY",
    "ALLOWED_HOSTS",
    "TRUSTED_PROXIES",
    "SENDGRID_API_KEY",
    "SENDGRID_API_URL",
    "SENTRY_DSN",
}


def _sandbox_time() -> str:
    return f"{clock.now():%-d %B %Y, %H:%M}"
