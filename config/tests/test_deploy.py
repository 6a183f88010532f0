"""The container files of `deploy/` start what there is, pass secrets as files, and ask probes that answer."""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands, load_command_class
from django.db import connection
from django.urls import resolve
from gunicorn.config import Config

from billing.tests.processes import free_port, until

ROOT = Path(settings.BASE_DIR)
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
MANIFESTS = [
    manifest
    for file in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for manifest in yaml.safe_load_all(file.read_text())
]
READ = (ROOT / "config/settings.py").read_text()
OURS = {name: service for name, service in COMPOSE["services"].items() if service["image"] == "billing"}


def of_kind(*kinds):
    return [manifest for manifest in MANIFESTS if manifest["kind"] in kinds]


def pod_of(manifest):
    spec = manifest["spec"]
    return spec.get("jobTemplate", {"spec": spec})["spec"]["template"]["spec"]


PODS = {manifest["metadata"]["name"]: pod_of(manifest) for manifest in of_kind("Deployment", "Job", "CronJob")}
CONFIG = of_kind("ConfigMap")[0]["data"]
COMMANDS = [
    *(pod["containers"][0]["command"] for pod in PODS.values() if "command" in pod["containers"][0]),
    *(service.get("entrypoint", []) + service["command"] for service in OURS.values() if "command" in service),
]


def server_command():
    [line] = re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    return yaml.safe_load(line)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_each_container_runs_a_command_as_it_is_and_no_shell_around_it(command):
    program, script, name, *options = command
    assert (program, script) == ("python", "manage.py")
    parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
    parser.parse_args(options)


def test_the_image_serves_the_site_with_options_that_gunicorn_knows():
    program, *arguments = server_command()
    assert program == "gunicorn"
    Config().parser().parse_args(arguments)
    assert "USER 10001" in DOCKERFILE
    for source in re.findall(r"^COPY (\S+) ", DOCKERFILE, re.MULTILINE):
        assert (ROOT / source).exists()


@pytest.mark.parametrize("variables", [COMPOSE["x-billing"]["environment"], CONFIG], ids=["compose", "kubernetes"])
def test_variables_are_read_by_the_settings_and_secrets_are_files(variables):
    for name, value in variables.items():
        assert f'"{name.removesuffix("_FILE")}"' in READ, name
        assert isinstance(value, str), name
        assert not re.search("SECRET|KEY|DATABASE_URL", name) or value.startswith("/run/secrets/"), name


def test_each_secret_that_is_read_is_mounted():
    declared = {f"/run/secrets/{name}" for name in COMPOSE["secrets"]}
    read = {value for value in COMPOSE["x-billing"]["environment"].values() if value.startswith("/run/secrets/")}
    assert read <= declared
    assert {Path(path).name for path in read} == set(COMPOSE["x-billing"]["secrets"])
    for pod in PODS.values():
        [container] = pod["containers"]
        mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        assert mounted == {"secrets": "/run/secrets/billing", "tmp": "/tmp"}
        assert {volume["name"] for volume in pod["volumes"]} == set(mounted)
    command = (DEPLOY / "kubernetes/config.yaml").read_text()
    for value in CONFIG.values():
        if value.startswith("/run/secrets/"):
            assert f"--from-file={Path(value).name}" in command


def test_the_kinds_are_those_of_a_site_with_workers_a_schedule_and_a_migration():
    assert set(PODS) == {
        "billing-web",
        "billing-worker",
        "billing-setup-1",
        "billing-sync",
        "billing-doctor",
        "billing-prune",
    }
    assert {manifest["metadata"]["namespace"] for manifest in MANIFESTS} == {"billing"}
    for manifest in of_kind("Deployment"):
        labels = manifest["spec"]["template"]["metadata"]["labels"]
        assert manifest["spec"]["selector"]["matchLabels"] == labels
    [service] = of_kind("Service")
    assert service["spec"]["selector"] == {"app": "billing-web"}


@pytest.mark.parametrize("name", PODS)
def test_no_pod_is_root_or_writes_to_its_image_or_grows_without_a_limit(name):
    pod = PODS[name]
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    assert "memory" in container["resources"]["limits"]


def test_probes_ask_whether_the_process_lives_and_never_whether_stripe_does():
    [container] = PODS["billing-web"]["containers"]
    probes = [container[name]["httpGet"] for name in ("startupProbe", "readinessProbe", "livenessProbe")]
    assert {probe["path"] for probe in probes} == {"/healthz"}
    assert resolve("/healthz")
    assert {probe["port"] for probe in probes} == {port["name"] for port in container["ports"]}


def test_what_is_stopped_may_end_what_it_has_begun():
    in_compose = {name: OURS[name]["stop_grace_period"] for name in ("web", "worker")}
    assert in_compose == {"web": "40s", "worker": "130s"}
    timeout = settings.Q_CLUSTER["timeout"]
    assert PODS["billing-worker"]["terminationGracePeriodSeconds"] > timeout
    graceful = int(server_command()[server_command().index("--graceful-timeout") + 1])
    assert PODS["billing-web"]["terminationGracePeriodSeconds"] > graceful


def test_a_new_version_waits_for_the_tables():
    for name in ("web", "worker"):
        assert OURS[name]["depends_on"]["setup"] == {"condition": "service_completed_successfully"}


def test_the_schedules_are_those_of_the_crontab():
    cron = (DEPLOY / "crontab").read_text()
    for manifest in of_kind("CronJob"):
        command = " ".join(pod_of(manifest)["containers"][0]["command"][1:])
        line = next(line for line in cron.splitlines() if line.endswith(command))
        assert line.split()[:5] == manifest["spec"]["schedule"].split()


def as_in_the_container(folder):
    """Return the variables of compose.yaml, with `folder` for /run/secrets and the secrets in it."""
    known = connection.settings_dict
    host = known["OPTIONS"].get("host") or known["HOST"]
    user = f"{known['USER']}:{known['PASSWORD']}" if known["PASSWORD"] else known["USER"]
    secrets = {
        "database_url": f"postgres://{user}@{host.replace('/', '%2F')}:{known['PORT']}/{known['NAME']}",
        "secret_key": "k" * 25 + "0123456789" * 3,
        "stripe_key": f"sk_test_{'A' * 24}",
        "webhook_secret": "whsec_" + "a" * 24,
    }
    for name, value in secrets.items():
        (folder / name).write_text(f"{value}\n")
    variables = COMPOSE["x-billing"]["environment"]
    return {
        "PATH": os.environ["PATH"],
        "ALLOWED_HOSTS": "billing.example.com",
        "SITE_URL": "https://billing.example.com",
        "EMAIL_URL": "smtp+tls://user:password@mail.example.com:587",
        "ADMINS": "ops@example.com",
        "TRUSTED_PROXIES": "10.0.0.0/8",
        "FROM_EMAIL": "Example <billing@shop.example>",
        **{name: value.replace("/run/secrets", str(folder)) for name, value in variables.items()},
    }


@pytest.mark.postgres_only
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_command_of_the_image_answers_probes_by_the_address_of_its_pod(tmp_path):
    port = free_port()
    command = [part.replace("0.0.0.0:8000", f"127.0.0.1:{port}") for part in server_command()[1:]]
    environment, written = as_in_the_container(tmp_path), tmp_path / "log"
    with written.open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *command], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
        try:
            until(lambda: server.poll() is not None or is_answered(port), seconds=60, what="an answer to a probe")
            assert server.poll() is None, written.read_text()
        finally:
            server.terminate()
            server.wait(40)


def is_answered(port):
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False
