"""`manage.py` for tests of the demo's start and end: its story is one short chapter."""

import os
import sys

import django
from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from config.demo import story

    story.NAMES = {story.fifth: "zoe"}
    execute_from_command_line(sys.argv)
