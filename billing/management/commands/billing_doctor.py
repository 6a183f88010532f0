"""`manage.py billing_doctor` says what is wrong with this site and its Stripe account, and what to do about it."""

import json
from collections import Counter
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from billing.commands import spelled
from billing.management.terminal import TerminalCommand
from billing.setup.doctor import Finding, Level, examine


class Command(TerminalCommand):
    help = "Examine this site and its Stripe account, a line for each finding. Exit code 1 if there is an error."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        findings: list[Finding] = []
        try:
            for finding in examine():
                findings.append(finding)
                if not options["json"]:
                    self._print_finding(finding)
        except DatabaseError as problem:
            raise CommandError(
                spelled(f"The database reported an error: {problem} Run `manage.py setup`.")
            ) from problem
        count = Counter(finding.level for finding in findings)
        if options["json"]:
            said = {"findings": [asdict(finding) for finding in findings], "count": {**count}}
            self.stdout.write(json.dumps(said, indent=2))
        others = [f"{count[level]} {level}{'' if count[level] == 1 else 's'}" for level in (Level.WARNING, Level.ERROR)]
        summary = f"{count[Level.OK]} ok, {', '.join(others)}."
        if count[Level.ERROR]:
            raise CommandError(summary)
        if not options["json"]:
            self.stdout.write(summary)

    def _print_finding(self, finding: Finding) -> None:
        styles = {Level.OK: self.style.SUCCESS, Level.WARNING: self.style.WARNING, Level.ERROR: self.style.ERROR}
        level = styles[finding.level](f"{finding.level:8}")
        todo = f" → {finding.todo}" if finding.todo else ""
        self.stdout.write(f"{level} {finding.name}: {finding.text}{todo}")
