"""The JSON Schema of every version of every message, and what a version may still become.

The schemas keep to draft 7 and refer to nothing, so that a validator of any language takes them as they are.
"""

import inspect
from collections.abc import Mapping
from itertools import chain
from typing import Any, get_args

from pydantic import BaseModel

from .codec import Body, contract, name_of, stamped
from .control import ControlRecord
from .topics import TOPICS

VERSIONS: Mapping[str, type[BaseModel]] = {
    name_of(model): model
    for model in map(
        contract,
        (*chain.from_iterable((*t.old, *t.types) for t in TOPICS), *get_args(ControlRecord)),
    )
}
"""Every version of every message ever written, by type.vN."""

NOTES = {"title", "description"}
NESTED = {"properties", "required", "items"}


def json_schema(model: type[BaseModel]) -> Body:
    """Returns the JSON Schema of what may be on the wire: a field that is stamped is required there."""
    found = model.model_json_schema(mode="validation")
    schema: Body = plain(found, found.pop("$defs", {}))
    fields = schema["properties"]
    for name in ("type", "version", *stamped(model)):
        del fields[name]["default"]
    return schema | {
        "title": name_of(model),
        "description": inspect.getdoc(model),
        "required": [name for name, field in fields.items() if "default" not in field],
    }


def plain(node: Any, definitions: Body) -> Any:
    """Returns the schema without references, without titles made of names, its bounds as every draft reads them."""
    match node:
        case {"$ref": str(name)}:
            return plain(definitions[name.removeprefix("#/$defs/")], definitions)
        case {"exclusiveMaximum": int(limit), **rest}:
            return plain(rest, definitions) | {"maximum": limit - 1}
        case dict():
            return {
                key: plain(part, definitions)
                for key, part in node.items()
                if not (key == "title" and isinstance(part, str))
            }
        case list():
            return [plain(part, definitions) for part in node]
    return node


def broken(old: Body, new: Body, where: str = "message") -> list[str]:
    """Returns why the new schema can't stand for the same version as the old one, empty if it can.

    It may gain optional fields and nothing else. So every reader takes what every writer of that version wrote,
    however many releases lie between the two.
    """
    if core(old) != core(new):
        return [f"{where} was {core(old)} and is {core(new)}"]
    before, after = old.get("properties", {}), new.get("properties", {})
    faults = [f"{where}.{name} is gone" for name in before if name not in after]
    required, requires = set(old.get("required", ())), set(new.get("required", ()))
    faults += [f"{where}.{name} is required now" for name in sorted(requires - required)]
    faults += [f"{where}.{name} may be missing now" for name in sorted(required - requires)]
    for name in before.keys() & after.keys():
        faults += broken(before[name], after[name], f"{where}.{name}")
    if items := old.get("items"):
        faults += broken(items, new.get("items", {}), f"{where}[]")
    return faults


def core(schema: Body) -> Body:
    """Returns what the schema itself demands, without notes and without its parts."""
    return {key: value for key, value in schema.items() if key not in NOTES | NESTED}
