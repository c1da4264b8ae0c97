"""The AsyncAPI document as a page to read: plain HTML without scripts, styles or anything from elsewhere."""

from html import escape

from pydantic_core import to_json

from .codec import Body

HEAD = '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8" /><title>{0}</title></head><body><h1>{0}</h1>'


def page(document: Body) -> str:
    """Returns the page of the document that `asyncapi` returns."""
    title, about = escape(document["info"]["title"]), escape(document["info"]["description"])
    writers = {op["channel"]["$ref"]: op["summary"] for op in document["operations"].values()}
    parts = [HEAD.format(f"{title}: topics"), f"<p>{about}</p>"]
    for name, channel in document["channels"].items():
        settings = pretty(channel["bindings"]["kafka"]["topicConfiguration"])
        parts.append(f'<section id="{escape(name)}"><h2>{escape(name)}</h2>')
        parts.append(
            f"<p>{escape(channel['description'])} {escape(writers[f'#/channels/{name}'])}</p>"
        )
        parts.append(f"<pre>{settings}</pre>")
        parts += [message(document["components"], kind) for kind in channel["messages"]]
        parts.append("</section>")
    return "\n".join((*parts, "</body></html>\n"))


def message(components: Body, name: str) -> str:
    """Returns what folds out to the message's key, headers and JSON Schema."""
    found = components["messages"][name]
    shown = {
        "key": found["bindings"]["kafka"].get("key"),
        "headers": found["headers"]["properties"],
        "value": components["schemas"][name],
    }
    summary = f"<summary><code>{escape(name)}</code> {escape(found['summary'])}</summary>"
    return f"<details>{summary}<pre>{pretty(shown)}</pre></details>"


def pretty(value: Body) -> str:
    return escape(to_json(value, indent=2).decode(), quote=False)
