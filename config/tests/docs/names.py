"""This module finds what a page names, and tells whether it is there."""

import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from django.conf import global_settings
from django.contrib.auth.models import Permission
from django.core.management import get_commands, load_command_class
from django.template.utils import get_app_template_dirs
from django.urls import Resolver404, resolve

from .pages import ROOT, Page

APPS = "billing|billing_mail|notifications|accounts|config|bench"
# Names of the wheel for what is a folder of another name here.
INSTALLED_AS = {"billing_mail": "notifications"}
MODULE = re.compile(r"python -m ([\w.]+)")
COMMAND = re.compile(r"manage\.py ([a-z_]+[^`|\n;&#)]*)")
OPTION = re.compile(r"--[a-z][a-z-]*")
PLACEHOLDER = re.compile(r"…|\[|<|\b[A-Z]{2,}\b")
SETTING = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
OWN_SETTING = re.compile(r"\b(?:BILLING|NOTIFICATIONS)(?:_[A-Z0-9]+)+\b")
DOTTED = re.compile(rf"(?:{APPS})(?:\.\w+)+")
CHECK = re.compile(rf"(?:{APPS})\.[EWI]\d\d\d")
FILE = re.compile(r"\.?\w[\w.-]*(?:/[\w.<>-]+)+/?|\w+/")
ADDRESS = re.compile(r"(?:(?:GET|POST|PUT|PATCH|DELETE) )?(/[\w/.<>-]*)(?:\?\S*)?")

# Commands of packages that a reader may install.
COMMANDS_ELSEWHERE = {"db_worker"}
# Files of a project of the reader's, and what tests leave.
ELSEWHERE = ("mysite/", "shop/", "tmp/")
# Addresses of Stripe, of the sandbox, of dj-stripe, and folders of a host.
NOT_OURS = ("/v1/", "/_sandbox/", "/c/", "/i/", "/p/", "/stripe/", "/etc/", "/run/", "/srv/")


def commands(text: str) -> list[str]:
    return [found.strip("\\ ") for found in COMMAND.findall(text)]


def spans_of_commands(page: Page) -> list[str]:
    """Commands of ours without "manage.py"."""
    return [span for span in page.spans if " " in span and span.split()[0] in get_commands()]


def wrong_use(command: str) -> str:
    """Return why `manage.py` would not take it, or nothing. Placeholders stand for anything; a name alone is a
    mention."""
    name, *arguments = shlex.split(command)
    if name in COMMANDS_ELSEWHERE:
        return ""
    if name not in get_commands():
        return f"no command {name}"
    parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
    unknown = set(OPTION.findall(command)) - parser._option_string_actions.keys()
    if arguments and not unknown and not PLACEHOLDER.search(command):
        parser.parse_args(arguments)
    return f"{name} has no {unknown}" if unknown else ""


def settings_read() -> set[str]:
    """Return what the code knows by its name, of the settings or of the environment; and Django's own."""
    files = [ROOT / ".env.example", *(file for app in ("config", "billing", "notifications") for file in _code(app))]
    named = {name for file in files for name in SETTING.findall(file.read_text())}
    return named | {name for name in dir(global_settings) if name.isupper()}


def own_settings() -> set[str]:
    quoted = re.compile(f'"({OWN_SETTING.pattern})"')
    sources = [file.read_text() for app in ("billing", "notifications") for file in _code(app)]
    given = (ROOT / "config/settings.py").read_text()
    return {name for text in sources for name in quoted.findall(text)} | set(OWN_SETTING.findall(given))


def is_a_name(dotted: str) -> bool:
    """A check, a permission, a module, or something in one."""
    app, _, rest = dotted.partition(".")
    folder = INSTALLED_AS.get(app, app)
    if CHECK.fullmatch(dotted):
        return any(f'"{dotted}"' in file.read_text() for file in _code(folder))
    if Permission.objects.filter(content_type__app_label=app, codename=rest).exists():
        return True
    module, *attributes = _importable(f"{folder}.{rest}")
    found = import_module(module)
    for attribute in attributes:
        found = getattr(found, attribute, None)
    return found is not None


def is_a_file(name: str, page: Page) -> bool:
    """Return whether it is a file of the project, beside the page, or a template or static file; `<this>` stands for
    anything."""
    pattern = re.sub(r"<[^>]+>", "*", name.rstrip("/"))
    static = [path / "static" for path in (ROOT / "billing", ROOT)]
    templates = [ROOT / "templates", *map(Path, get_app_template_dirs("templates"))]
    return any(any(folder.glob(pattern)) for folder in (ROOT, page.path.parent, *templates, *static))


def is_an_address(path: str) -> bool:
    """Return whether it is an address of the site, or of its API without `/api/v1`."""
    path = re.sub(r"<[^>]+>", "1", path)
    return any(_resolves(candidate) for candidate in (path, f"{path}/", f"/api/v1{path}"))


def _resolves(path: str) -> bool:
    try:
        return bool(resolve(path))
    except Resolver404:
        return False


def _importable(dotted: str) -> list[str]:
    """The longest module of it, and the attributes after that."""
    parts = dotted.split(".")
    length = next((end for end in range(len(parts), 1, -1) if is_module(".".join(parts[:end]))), 1)
    return [".".join(parts[:length]), *parts[length:]]


def is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _code(app: str) -> Iterator[Path]:
    return (file for file in (ROOT / app).rglob("*.py") if "tests" not in file.parts)
