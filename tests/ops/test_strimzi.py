"""The chart's topics are those that a cluster is provisioned with, whatever its size."""

import json
import re

import pytest

from events.topics import ORDER_EVENTS, PRICES
from infra.log.admin import settings
from ops.provision import topic_specs
from ops.strimzi import topics

FOUND = {topic["name"]: topic for topic in json.loads(topics())}


@pytest.mark.parametrize(("partitions", "replication"), [(1, 1), (12, 3)])
def test_the_chart_has_what_provision_would_make(partitions: int, replication: int) -> None:
    specs = topic_specs(partitions, replication)
    assert list(FOUND) == [spec.name for spec in specs]
    for spec in specs:
        found = FOUND[spec.name]
        assert (found["partitions"] or partitions) == spec.partitions
        insync = {"min.insync.replicas": str(spec.min_insync)}
        assert found["config"] | insync == settings(spec)
        assert "min.insync.replicas" not in found["config"]


def test_only_a_topic_of_fixed_width_says_its_partitions() -> None:
    assert FOUND[ORDER_EVENTS.name]["partitions"] is None
    assert FOUND[PRICES.name]["partitions"] == PRICES.partitions == 1


def test_a_topics_name_can_be_a_resources() -> None:
    for name in FOUND:
        assert re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", name)
        assert len(name) <= 253
