"""The topics as the chart hands them to Strimzi: what `provision` would make, for the operator to make and keep."""

from typing import Any

from pydantic_core import to_json

from infra.log.admin import settings
from ops.provision import topic_specs

THE_CHARTS = ("min.insync.replicas",)
"""Settings that follow from how many brokers a cluster has, which the chart knows."""


def topics() -> str:
    """Returns every topic of a cluster as a JSON list of name, partitions, config by Kafka's names.

    partitions: null for the cluster's number of partitions. Every value of config is a string.
    """
    found: list[dict[str, Any]] = []
    for spec, wider in zip(topic_specs(1), topic_specs(2), strict=True):
        config = {key: value for key, value in settings(spec).items() if key not in THE_CHARTS}
        partitions = spec.partitions if spec.partitions == wider.partitions else None
        found.append({"name": spec.name, "partitions": partitions, "config": config})
    return to_json(found, indent=2).decode() + "\n"
