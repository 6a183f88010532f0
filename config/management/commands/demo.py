"""The whole thing on one machine: sandbox, web and worker as processes, and one story told step by step."""

import os
import signal
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from config.demo import story
from config.demo.processes import PortInUseError, Processes, StartError
from config.demo.stage import Stage, StepError

FOLDERS = Path(settings.BASE_DIR) / "tmp"
DATABASE = "db.sqlite3"
WEBHOOK_SECRET = "whsec_demo"  # noqa: S105
ADMIN_EMAIL, ADMIN_PASSWORD = "admin@example.com", "billing-demo"


class Command(BaseCommand):
    help = "Run sandbox, web and worker, tell five subscribers' stories, and leave the site open until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--exit", action="store_true", help="end after the story: 0 if every step was as it should")
        parser.add_argument("--port", type=port, default=8000, help="where the site is served (8000)")
        parser.add_argument("--sandbox-port", type=port, default=12111, help="where the sandbox is served (12111)")

    def handle(self, *args: Any, **options: Any) -> None:
        site = f"http://127.0.0.1:{options['port']}"
        sandbox = f"http://127.0.0.1:{options['sandbox_port']}"
        folder = FOLDERS / f"demo-{options['port']}"
        processes = Processes(folder)
        try:
            processes.claim_ports(port=options["port"], sandbox_port=options["sandbox_port"])
            if Path(settings.DATABASES["default"]["NAME"]) != folder / DATABASE:
                run_again_in_demo_environment(site, sandbox, folder)
            signal.signal(signal.SIGTERM, _interrupt)
            self._start(processes, options["port"], options["sandbox_port"])
            story.tell(Stage(site, sandbox), self.stdout)
            self.stdout.write(self.style.SUCCESS("\nEvery step's outcome was as it should be."))
            if not options["exit"]:
                self._leave_open(site, sandbox, processes)
        except (PortInUseError, StartError) as error:
            raise CommandError(str(error)) from None
        except StepError as error:
            raise CommandError(f"The story went wrong at a step: {error}\nLogs are in {folder}.") from None
        except KeyboardInterrupt:
            self.stdout.write("\nStopping.")
        finally:
            processes.stop()

    def _start(self, processes: Processes, port: int, sandbox_port: int) -> None:
        site, sandbox = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{sandbox_port}"
        self.stdout.write("Starting the sandbox, the site and the worker ...")
        door = f"{site}/api/v1/webhooks/stripe"
        processes.start(
            "sandbox",
            ["stripe_sandbox", "--port", str(sandbox_port), "--forward", door, "--webhook-secret", WEBHOOK_SECRET],
        )
        processes.run("setup", ["setup"])
        processes.wait_for(f"{sandbox}/_sandbox/", "sandbox")
        processes.run("setup_stripe", ["setup_stripe"])
        get_user_model().objects.create_superuser(ADMIN_EMAIL, ADMIN_PASSWORD)
        processes.start("web", ["-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}", *GUNICORN])
        processes.start("worker", ["qcluster"])
        processes.wait_for(f"{site}/readyz", "web")

    def _leave_open(self, site: str, sandbox: str, processes: Processes) -> None:
        self.stdout.write(
            f"\n  The site   {site}/          e.g. as ada@example.com, password {story.PASSWORD}\n"
            f"  Admin      {site}/admin/    {ADMIN_EMAIL}, password {ADMIN_PASSWORD}\n"
            f"  API        {site}/api/docs\n"
            f"  Sandbox    {sandbox}/\n"
            f"  Mails      {processes.folder / 'worker.log'}, or in the admin under Mails\n\n"
            "Time goes by the sandbox's clock, which the story has moved months ahead.\n"
            "Ctrl-C stops everything."
        )
        processes.wait()


GUNICORN = ["--worker-class", "gthread", "--workers", "2", "--threads", "4", "--no-control-socket"]


def port(text: str) -> int:
    number = int(text)
    if not 0 < number < 65_536:
        raise ValueError
    return number


def run_again_in_demo_environment(site: str, sandbox: str, folder: Path) -> NoReturn:
    """The demo has a database and a Stripe of its own, and never touches the ones configured here."""
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
            "DATABASE_URL": f"sqlite:///{folder / DATABASE}",
            "SITE_URL": site,
            "STRIPE_API_BASE": sandbox,
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        }
    )
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, *sys.argv], environment)  # noqa: S606


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


def _interrupt(*args: Any) -> NoReturn:
    raise KeyboardInterrupt
