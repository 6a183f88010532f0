"""A read replica: PostgreSQL's own streaming replication of the test's server, some time behind."""

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from billing.tests.processes import until


@contextmanager
def standby(delay="0"):
    """Copy the server and follow it, `delay` behind; yield the folder of the copy's socket. It takes all databases."""
    known = connection.settings_dict
    place = {"host": known["OPTIONS"].get("host") or known["HOST"], "user": known["USER"], "dbname": "postgres"}
    with psycopg.connect(**place) as server:
        data = Path(server.execute("SHOW data_directory").fetchone()[0])
        may_follow = server.execute("SELECT rolreplication FROM pg_roles WHERE rolname = current_user").fetchone()[0]
    if not may_follow or not (data / "postmaster.pid").exists():
        pytest.skip("the server is not on this machine, or this user may not follow it")
    binaries = Path(f"/proc/{(data / 'postmaster.pid').read_text().split()[0]}/exe").resolve().parent
    if not (binaries / "pg_basebackup").exists():
        pytest.skip(f"no pg_basebackup beside {binaries / 'postgres'}")
    owner = pwd.getpwuid(data.stat().st_uid)
    as_owner = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="standby-", dir="/tmp"))
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    folder.chmod(0o755)
    copy = [binaries / "pg_basebackup", "-h", place["host"], "-U", place["user"], "-D", folder / "data"]
    follow = [binaries / "postgres", "-D", folder / "data", "-k", folder, "-c", "listen_addresses="]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/"}
    process = None
    try:
        subprocess.run([*copy, "-X", "stream", "-c", "fast", "-R"], check=True, **quiet, **as_owner)
        follow += ["-c", f"recovery_min_apply_delay={delay}", "-c", "hot_standby=on"]
        process = subprocess.Popen(list(map(str, follow)), **quiet, **as_owner)
        until(lambda: _answers(place, folder), what="the replica")
        yield str(folder)
    finally:
        if process:
            process.terminate()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _answers(place, folder):
    try:
        with psycopg.connect(**{**place, "host": str(folder)}) as copy:
            return copy.execute("SELECT pg_is_in_recovery()").fetchone()[0]
    except psycopg.OperationalError:
        return False
