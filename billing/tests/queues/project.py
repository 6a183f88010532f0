"""This site with another queue, as a section of docs/queues.md sets it up."""

import re
import sys
from pathlib import Path

from django.conf import settings as site

from billing.tests.processes import Process

PAGE = site.BASE_DIR / "docs" / "queues.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"# (\S+\.py)")
WITHOUT_DJANGO_Q2 = """
from config.tests.queue_settings import *

INSTALLED_APPS.remove("django_q")
del Q_CLUSTER
"""


class Project:
    """The page's minutes are seconds here, and its broker is the test's."""

    def __init__(self, folder, settings, monkeypatch):
        self.folder, self.settings, self.processes = folder, settings, []
        self.files, self.commands = {"mysite/settings.py": WITHOUT_DJANGO_Q2}, []
        monkeypatch.syspath_prepend(folder)

    def follow(self, section, broker=""):
        text = PAGE.read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]
        for language, block in BLOCK.findall(text.replace("60", "1").replace("redis://127.0.0.1:6379/0", broker)):
            if language == "sh":
                self.commands += block.splitlines()
            else:
                path = FILE.match(block)[1]
                self.files[path] = self.files.get(path, "") + block
        self.files["mysite/settings.py"] += f"CELERY_BEAT_SCHEDULE_FILENAME = '{self.folder}/beat'\n"
        for path, lines in self.files.items():
            (self.folder / path).parent.mkdir(exist_ok=True)
            (self.folder / path).write_text(lines)
        own = self.files["mysite/settings.py"].removeprefix(WITHOUT_DJANGO_Q2)
        names = {"INSTALLED_APPS": list(site.INSTALLED_APPS)}
        exec(own, names)
        for name, value in names.items():
            if name.isupper() and value != getattr(site, name, None):
                setattr(self.settings, name, value)

    def start(self, *names):
        """Start the page's commands that hold one of these names."""
        for line in self.commands:
            program, *arguments = line.removeprefix("python ").split()
            if set(names) & set(arguments):
                path = site.BASE_DIR / program if program == "manage.py" else Path(sys.executable).with_name(program)
                self.processes.append(
                    Process(
                        str(path),
                        *arguments,
                        DJANGO_SETTINGS_MODULE="mysite.settings",
                        PYTHONPATH=f"{self.folder}:{site.BASE_DIR}",
                    )
                )
        return self.processes[-1]

    def kill(self):
        """`kill -9` to all of them and to their children."""
        while self.processes:
            self.processes.pop().kill()

    def end(self):
        self.kill()
        for name in [name for name in sys.modules if name.partition(".")[0] == "mysite"]:
            del sys.modules[name]
