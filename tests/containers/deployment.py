"""docker-compose.yml deployed for a test: under a name and on ports of its own, gone afterwards."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest
import yaml
from docker import DockerClient
from docker.errors import DockerException
from docker.models.containers import Container
from testcontainers.compose import DockerCompose

from tests.containers.compose_file import ROOT, process_of
from tests.stand import free_ports

START_INTERVAL = (1, 44)
"""The API from which on an engine checks more often while a container starts; Podman speaks an older one."""
BROKERS = {"single": ("KAFKA_PORT",), "cluster": ("KAFKA_PORT", "KAFKA_PORT_2", "KAFKA_PORT_3")}
PORTS = ("GATEWAY_PORT", *BROKERS["cluster"])


def engine() -> DockerClient:
    """Returns a client of the engine that DOCKER_HOST or the default socket leads to. Ends the run if none answers."""
    try:
        client = DockerClient.from_env(timeout=300)
        client.ping()
    except DockerException as error:
        pytest.exit(f"no engine answers, start Docker or name one in DOCKER_HOST: {error}", 1)
    return client


class Deployment:
    """A running deployment. name: of its project; endpoints: gateway, kafka and what else is published."""

    def __init__(
        self, client: DockerClient, name: str, compose: DockerCompose, endpoints: Mapping[str, str]
    ) -> None:
        self.client, self.name, self.compose, self.endpoints = client, name, compose, endpoints

    def container(self, service: str) -> Container:
        """Returns the container of the service, whatever its state."""
        label = "com.docker.compose.service"
        (found,) = [one for one in self.containers() if one.labels[label] == service]
        return found

    def containers(self) -> list[Container]:
        return list(self.client.containers.list(all=True, filters={"label": self.mark}))

    def processes(self) -> dict[str, Container]:
        """Returns the containers of our processes that run, by their service."""
        services = {
            name: service
            for name, service in self.compose.get_config()["services"].items()
            if process_of(service) not in (None, "provision")
        }
        return {name: self.container(name) for name in services}

    @property
    def mark(self) -> str:
        return f"com.docker.compose.project={self.name}"

    def left(self) -> list[str]:
        """Returns what the engine still has of it."""
        marked = {"label": self.mark}
        return [
            *(c.name or "" for c in self.containers()),
            *(volume.name for volume in self.client.volumes.list(filters=marked)),
            *(network.name or "" for network in self.client.networks.list(filters=marked)),
        ]


def resolved(name: str, ports: Mapping[str, int], files: Sequence[Path]) -> Any:
    """Returns the configuration of all profiles as `docker compose config` resolves it."""
    given = {f"ORDERSTREAM_{port}": str(number) for port, number in ports.items()}
    command = ["docker", "compose", "-p", name, "--profile", "*"]
    command += [word for file in files for word in ("-f", str(file))]
    ran = subprocess.run(
        [*command, "config", "--format", "json"],
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr
    return json.loads(ran.stdout)


@contextmanager
def deployed(
    folder: Path, profile: str = "single", only: Sequence[str] = ()
) -> Iterator[Deployment]:
    """Yields the deployment, once all that starts under the profile is healthy; removes it. only: these services."""
    client, name = engine(), f"orderstream-test-{uuid4().hex[:8]}"
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    files = [ROOT / "docker-compose.yml", Path(__file__).with_name("published.yml")]
    config = resolved(name, ports, files)
    api = tuple(map(int, client.version()["ApiVersion"].split(".")))
    for service in config["services"].values():
        if service.pop("build", None):  # what `make image` built is tested
            service["pull_policy"] = "never"
        if api < START_INTERVAL:
            service.get("healthcheck", {}).pop("start_interval", None)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "compose.yml").write_text(yaml.safe_dump(config))
    compose = DockerCompose(folder, "compose.yml", profiles=[profile], services=list(only) or None)
    deployment = Deployment(client, name, compose, {})
    try:
        begun = monotonic()
        compose.start()
        print(f"{profile} is healthy in {monotonic() - begun:.1f} s")
        deployment.endpoints = {
            "gateway": f"http://127.0.0.1:{ports['GATEWAY_PORT']}",
            "kafka": ",".join(f"127.0.0.1:{ports[port]}" for port in BROKERS[profile]),
            "dynamodb": "http://127.0.0.1:{}".format(published(deployment, "dynamodb", 8000)),
            "redis": "redis://127.0.0.1:{}".format(published(deployment, "redis", 6379)),
        }
        yield deployment
    except subprocess.CalledProcessError as error:
        raise AssertionError(error.stderr.decode()) from error
    finally:
        compose.services = None
        compose.stop()


def published(deployment: Deployment, service: str, port: int) -> int:
    """Returns the port of the machine that leads to the service's."""
    found = deployment.container(service).attrs["NetworkSettings"]["Ports"][f"{port}/tcp"]
    return int(found[0]["HostPort"])
