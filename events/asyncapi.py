"""The AsyncAPI 3.0 document of the topics, made from their table: what a consumer in any language needs."""

from typing import Any, get_args

from .codec import Body, contract, name_of
from .control import ControlRecord
from .envelope import Control, Event
from .schema import VERSIONS, json_schema
from .topics import DAY, TOPICS, Topic

INFO = {
    "title": "orderstream",
    "version": "1.0.0",
    "description": "Each topic has one writer, each type one topic. Records are JSON, never aborted and never"
    " doubled; those of an account keep their order. Ignore fields and headers that you don't know.",
    "license": {"name": "Apache-2.0"},
}
TEXT = {"type": "string"}
HEADERS = {
    "content-type": TEXT | {"description": "What the value is: application/json."},
    "cause": TEXT | {"description": "topic:partition:offset of the input that led to the event."},
    "traceparent": TEXT | {"description": "W3C trace context, when sampled."},
}
KAFKA = "0.5.0"


def asyncapi() -> Body:
    """Returns the document. Nothing in it depends on an installation, such as hosts or partitions."""
    carried = {topic.name: names(topic) for topic in TOPICS}
    keys = {name: topic.key for topic in TOPICS for name in carried[topic.name]}
    return {
        "asyncapi": "3.0.0",
        "info": INFO,
        "defaultContentType": "application/json",
        "channels": {topic.name: channel(topic, carried[topic.name]) for topic in TOPICS},
        "operations": {f"write.{topic.name}": operation(topic) for topic in TOPICS},
        "components": {
            "messages": {name: message(name, keys[name]) for name in VERSIONS},
            "schemas": {name: json_schema(model) for name, model in VERSIONS.items()},
        },
    }


def names(topic: Topic[Any]) -> tuple[str, ...]:
    """Returns type.vN of all that may stand in the topic; in those of events that is control records too."""
    events = all(issubclass(contract(kind), Event) for kind in topic.types)
    kinds = (*topic.old, *topic.types, *(get_args(ControlRecord) if events else ()))
    return tuple(name_of(contract(kind)) for kind in kinds)


def channel(topic: Topic[Any], carried: tuple[str, ...]) -> Body:
    retention = -1 if topic.retention_days is None else topic.retention_days * DAY
    settings = {
        "cleanup.policy": ["compact" if topic.compacted else "delete"],
        "retention.ms": retention,
        "max.message.bytes": topic.max_message_bytes,
    }
    kafka: Body = {"topic": topic.name, "topicConfiguration": settings, "bindingVersion": KAFKA}
    if topic.partitions is not None:
        kafka["partitions"] = topic.partitions
    return {
        "address": topic.name,
        "description": topic.about,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in carried},
        "bindings": {"kafka": kafka},
    }


def operation(topic: Topic[Any]) -> Body:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "summary": f"Only {topic.writer} writes it.",
        "tags": [{"name": topic.writer}],
    }


def message(name: str, key: str | None) -> Body:
    schema = json_schema(VERSIONS[name])
    fields = schema["properties"]
    headers: Body = {"type": "object", "properties": HEADERS}
    kafka: Body = {"bindingVersion": KAFKA}
    if issubclass(VERSIONS[name], Control):
        headers = {"type": "object", "properties": HEADERS | {"kind": {"const": "control"}}}
        headers["required"] = ["kind"]
        kafka["key"] = {"const": f"control:{fields['type']['const']}"}
    elif key is not None:
        kafka["key"] = fields[key]
    return {
        "name": name,
        "summary": schema["description"],
        "headers": headers,
        "payload": {"$ref": f"#/components/schemas/{name}"},
        "bindings": {"kafka": kafka},
    }
