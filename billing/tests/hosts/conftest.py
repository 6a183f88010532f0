import os

import pytest

from .project import HostProject, build_wheel, install, new_database


@pytest.fixture(scope="session")
def packages(tmp_path_factory):
    """A folder with `billing` installed from its wheel."""
    wheel = build_wheel(tmp_path_factory.mktemp("wheel"))
    return install(wheel, tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="module")
def host(request, packages, tmp_path_factory):
    """A project as `django-admin startproject` makes it, on an empty PostgreSQL database; the module fills it."""
    name = request.module.__name__.rpartition(".")[2]
    with new_database(f"{name}_{os.getpid()}") as database:
        host = HostProject(tmp_path_factory.mktemp(name), packages, database)
        try:
            host.start()
            yield host
        finally:
            host.close()
