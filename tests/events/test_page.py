"""The page shows every topic and message and brings nothing of its own to run or to load."""

from xml.etree import ElementTree

from events.asyncapi import asyncapi
from events.page import page

DOCUMENT = asyncapi()
TREE = ElementTree.fromstring(page(DOCUMENT).removeprefix("<!DOCTYPE html>\n"))


def test_it_shows_every_topic_with_every_message() -> None:
    shown = {
        section.get("id"): [code.text for code in section.iter("code")]
        for section in TREE.iter("section")
    }
    assert shown == {name: [*channel["messages"]] for name, channel in DOCUMENT["channels"].items()}


def test_it_needs_nothing_that_a_strict_content_policy_forbids() -> None:
    allowed = {"html", "head", "meta", "title", "body", "h1", "h2", "p", "pre", "section"}
    assert {node.tag for node in TREE.iter()} == allowed | {"details", "summary", "code"}
    assert {name for node in TREE.iter() for name in node.attrib} == {"lang", "charset", "id"}


def test_what_it_shows_is_text_whatever_it_says() -> None:
    nasty = "<script>alert('&')</script>"
    document = DOCUMENT | {"info": {"title": nasty, "description": nasty}}
    assert "<script>" not in page(document)
