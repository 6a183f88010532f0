"""Stripe's SDKs for Ruby, Go and PHP are installed in their pinned versions, or the test is skipped with the reason."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from .installing import CACHE


@dataclass(frozen=True)
class Sdk:
    """An SDK is installed by commands, and runs a program around the README's line."""

    name: str
    version: str
    tools: tuple[str, ...]
    install: tuple[tuple[str, ...], ...]
    file: str
    program: str
    run: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()


SDKS = [
    Sdk(
        "ruby",
        "13.3.0",
        ("ruby", "gem"),
        (("gem", "install", "--no-document", "--install-dir", "gems", "stripe", "-v", "13.3.0"),),
        "ask.rb",
        'require "stripe"\n{line}\n'
        '2.times {{ Stripe::Customer.create(name: "Ada") }}\n'
        "print Stripe::Customer.list(limit: 1).auto_paging_each.map(&:name).join(',')\n",
        ("ruby", "ask.rb"),
        (("GEM_PATH", "gems"),),
    ),
    Sdk(
        "php",
        "16.4.0",
        ("php", "composer"),
        (("composer", "require", "--no-interaction", "--quiet", "stripe/stripe-php:16.4.0"),),
        "ask.php",
        "<?php\nrequire 'vendor/autoload.php';\n{line}\n"
        "foreach ([1, 2] as $_) {{ $stripe->customers->create(['name' => 'Ada']); }}\n"
        "foreach ($stripe->customers->all(['limit' => 1])->autoPagingIterator() as $row) {{ $names[] = $row->name; }}\n"
        "echo implode(',', $names);\n",
        ("php", "ask.php"),
        (("COMPOSER_ALLOW_SUPERUSER", "1"),),
    ),
    Sdk(
        "go",
        "81.3.0",
        ("go",),
        (("go", "mod", "init", "ask"), ("go", "get", "github.com/stripe/stripe-go/v81@v81.3.0")),
        "ask.go",
        'package main\nimport (\n"fmt"\n"strings"\n"github.com/stripe/stripe-go/v81"\n'
        '"github.com/stripe/stripe-go/v81/customer"\n)\nfunc main() {{\n{line}\n'
        'for i := 0; i < 2; i++ {{ customer.New(&stripe.CustomerParams{{Name: stripe.String("Ada")}}) }}\n'
        "params := &stripe.CustomerListParams{{}}\nparams.Limit = stripe.Int64(1)\nnames := []string{{}}\n"
        "for rows := customer.List(params); rows.Next(); {{ names = append(names, rows.Customer().Name) }}\n"
        'fmt.Print(strings.Join(names, ","))\n}}\n',
        ("go", "run", "ask.go"),
    ),
]


def installed(sdk: Sdk) -> Path:
    """Return a folder with the SDK; skip the test where its tools are missing or cannot install it."""
    for tool in sdk.tools:
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not on this machine")
    folder = CACHE / f"{sdk.name}-{sdk.version}"
    if not folder.exists():
        _install(sdk, folder)
    return folder


def _install(sdk: Sdk, folder: Path) -> None:
    """Install beside the folder and rename at the end, so that a folder that is there is complete."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as parent:
        fresh = Path(parent) / sdk.name
        fresh.mkdir()
        for command in sdk.install:
            done = run(sdk, fresh, command, 120)
            if done.returncode:
                pytest.skip(f"{command[0]} cannot install Stripe's SDK here: {done.stderr.strip()[:160]}")
        fresh.rename(folder)


def run(sdk: Sdk, folder: Path, command: tuple[str, ...], seconds: int) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, **dict(sdk.environment)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=seconds, check=False
    )
