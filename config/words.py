"""These functions find what people read and what the catalogues lack: texts without a translation, and texts that no
catalogue can translate, since nobody marked them.
"""

import ast
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation import templatize

ROOT = Path(settings.BASE_DIR)
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "en"]
# The app whose `locale` translates them → the folders.
SOURCES = {"billing": ["billing"], "accounts": ["accounts", "templates", "config"], "notifications": ["notifications"]}
KEYWORDS: dict[str, Any] = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
}
TEXTS = frozenset({".html", ".txt"})


class Missing(NamedTuple):
    app: str
    language: str
    text: str


def untranslated() -> Iterator[Missing]:
    """Yield each marked text that a catalogue does not have, or has without a translation or as a guess."""
    for app in SOURCES:
        marked = dict.fromkeys(_marked(app))
        for language in LANGUAGES:
            with (ROOT / app / "locale" / language / "LC_MESSAGES" / "django.po").open("rb") as file:
                catalogue = read_po(file, locale=language)
            done = {_key(message.id, message.context) for message in catalogue if _is_done(message)}
            yield from (Missing(app, language, text) for text, context in marked if (text, context) not in done)


def unmarked() -> Iterator[str]:
    """Yield the place and text of what subscribers read and nobody marked for translation."""
    for path in [*_files(["templates", "billing/templates/billing"], TEXTS)]:
        if "admin" not in path.parts:
            yield from (f"{path.relative_to(ROOT)}: {text}" for text in unmarked_in_template(path.read_text()))
    for path in _files(FOR_SUBSCRIBERS, frozenset({".py"})):
        if not str(path.relative_to(ROOT)).startswith(FOR_STAFF):
            yield from (f"{path.relative_to(ROOT)}: {text}" for text in unmarked_in_python(path.read_text()))
    yield from in_scripts()


SCRIPTS = ["static", "billing/static"]


def in_scripts() -> Iterator[str]:
    """Yield the place and text of each sentence in our JavaScript, which no catalogue reaches: the page says it, in an
    attribute."""
    for path in _files(SCRIPTS, frozenset({".js"})):
        yield from (f"{path.relative_to(ROOT)}: {text}" for text in unmarked_in_script(path.read_text()))


def unmarked_in_script(source: str) -> Iterator[str]:
    code = re.sub(r"^\s*//.*$", "", source, flags=re.MULTILINE)
    for quoted in QUOTED.findall(code):
        if SENTENCE.fullmatch(quoted[1:-1]):
            yield quoted[1:-1]


# --- Marked texts ----------------------------------------------------------------------------------------------------


def _marked(app: str) -> Iterator[tuple[str, str | None]]:
    for path in _files(SOURCES[app], TEXTS | {".py"}):
        source = path.read_text()
        code = templatize(source) if path.suffix in TEXTS else source
        for _, message, _, context in extract("python", BytesIO(code.encode()), keywords=KEYWORDS):
            if isinstance(message, tuple | list) and context is None:
                yield _key(message, None)
            else:
                yield _key(message[-1] if isinstance(message, tuple | list) else message, context)


def _key(text: Any, context: str | None) -> tuple[str, str | None]:
    return (text[0] if isinstance(text, tuple | list) else text), context or None


def _is_done(message: Any) -> bool:
    strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return bool(message.id) and not message.fuzzy and all(strings)


def _files(folders: list[str], endings: frozenset[str]) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")) if (ROOT / folder).is_dir() else [ROOT / folder]:
            parts = path.relative_to(ROOT).parts
            if path.suffix in endings and "tests" not in parts and "migrations" not in parts:
                yield path


# --- Texts that are not marked ---------------------------------------------------------------------------------------

FOR_SUBSCRIBERS = [
    "billing/access/gates.py",
    "billing/access/payer.py",
    "billing/api",
    "billing/cadence.py",
    "billing/catalogue/labels.py",
    "billing/lifecycle",
    "billing/localized.py",
    "billing/pages",
    "billing/usage",
    "accounts",
]
# Staff, or those who run the site, read what these say.
FOR_STAFF = (
    "accounts/admin",
    "accounts/checks.py",
    "accounts/management",
    "accounts/rank.py",
    "accounts/second_step/admin.py",
    "billing/api/documented.py",
    "billing/lifecycle/agreements",
    "billing/lifecycle/by_hand.py",
    "billing/lifecycle/code_batches.py",
    "billing/lifecycle/deletion",
    "billing/lifecycle/host_params.py",
    "billing/lifecycle/price_moves",
    "billing/lifecycle/seats_by_staff.py",
    "billing/lifecycle/send_details.py",
    "billing/usage/crediting.py",
    "billing/usage/doubts.py",
    "billing/usage/overriding.py",
    "billing/usage/reporting.py",
)
TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
TRANSLATED = re.compile(r"\{% blocktranslate.*?endblocktranslate %\}|<script.*?</script>", re.DOTALL)
ELEMENT = re.compile(r"<[^<>]*>", re.DOTALL)
READ_ALOUD = re.compile(r"\b(?:alt|aria-label|placeholder|title)=\"([^\"]*)\"")
LETTERS = re.compile(r"[^\W\d_]{2,}")
# Names, and what is no word of a language.
NAMES = frozenset({"UTC"})
SENTENCE = re.compile(r"[A-Z][^ ]* .*[a-z].*[.:!?]|.* .*[a-z]\.", re.DOTALL)
# What these are called with is a log line, an alert, an error of a program, or the schema of the API.
NOT_FOR_READERS = frozenset(
    "CommandError DiscountUnknown GivenUp ImproperlyConfigured NotGivable OpenApiParameter OpenApiResponse "
    "RuntimeError TypeError ValueError WrongOffer alert alert_staff debug error exception extend_schema info note "
    "remind_staff warning".split()
)
QUOTED = re.compile(r'"[^"\n]*"|\'[^\'\n]*\'|`[^`]*`')
NOT_READ = frozenset({"description", "for_staff", "help_text", "note"})
NOTES_FOR_STAFF = frozenset({"WHAT_TO_DO"})


def unmarked_in_template(source: str) -> Iterator[str]:
    rest = TAG.sub("", TRANSLATED.sub("", source))
    for text in [*READ_ALOUD.findall(rest), *ELEMENT.sub("\n", rest).split("\n")]:
        if LETTERS.search(text) and text.strip() not in NAMES and not text.startswith("?"):
            yield text.strip()


def unmarked_in_python(source: str) -> Iterator[str]:
    yield from _walk(ast.parse(source))


def _walk(node: ast.AST) -> Iterator[str]:
    """Go into everything but docstrings, marked texts, and calls whose texts no subscriber reads."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if isinstance(node, ast.Call) and _name(node.func) in NOT_FOR_READERS | KEYWORDS.keys():
        return
    if isinstance(node, ast.keyword) and node.arg in NOT_READ:
        return
    if isinstance(node, ast.Assign) and {_name(target) for target in node.targets} & NOTES_FOR_STAFF:
        return
    if isinstance(node, ast.Constant | ast.JoinedStr):
        text = _text(node)
        if SENTENCE.fullmatch(text):
            yield text
        return
    for child in ast.iter_child_nodes(node):
        yield from _walk(child)


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _text(node: ast.Constant | ast.JoinedStr) -> str:
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
