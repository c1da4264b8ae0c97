"""Ids are derived, so that a second processing writes the same bytes; partitions are Kafka's own choice."""

from uuid import UUID, uuid5

from aiokafka.partitioner import DefaultPartitioner, murmur2
from hypothesis import given
from hypothesis import strategies as st

from events import ids
from events.codec import contract
from events.topics import TOPICS

uuids = st.uuids().map(str)
texts = st.text(st.characters(exclude_categories=["Cs"]))
counts = st.integers(min_value=0, max_value=2**53 - 1)


@given(uuids, uuids, texts, counts, counts)
def test_an_events_id_is_the_uuid5_of_what_it_is_derived_from(
    cause: str, account: str, type_: str, n: int, step: int
) -> None:
    name = f"{account}:{type_}:{n}" if step == 0 else f"{account}:{type_}:{n}:{step}"
    assert ids.event_id(cause, account, type_, n, step) == str(uuid5(UUID(cause), name))


def test_no_two_names_of_an_event_can_be_one_because_a_type_has_no_colon() -> None:
    kinds = [contract(kind) for topic in TOPICS for kind in topic.types]
    assert not any(":" in kind.model_fields["type"].default for kind in kinds)


@given(uuids, texts, texts)
def test_a_clients_names_for_its_commands_are_two_name_spaces_of_the_account(
    account: str, name: str, key: str
) -> None:
    by_name = ids.command_id(account, client_order_id=name, key=key)
    by_key = ids.command_id(account, client_order_id=None, key=key)
    assert by_name == str(uuid5(UUID(account), f"c:{name}"))
    assert by_key == str(uuid5(UUID(account), f"k:{key}"))
    assert by_name != by_key
    assert ids.command_id(account, client_order_id=None, key=None) is None


@given(texts, counts, counts)
def test_a_place_in_the_log_has_an_id_of_its_own(topic: str, partition: int, offset: int) -> None:
    made = UUID(ids.position_id(topic, partition, offset))
    assert made.version == 5
    assert str(made) != ids.position_id(topic, partition, offset + 1)


@given(st.binary())
def test_the_hash_is_kafkas(data: bytes) -> None:
    assert ids.murmur2(data) == murmur2(data) & 0xFFFFFFFF


@given(texts | uuids, st.integers(min_value=1, max_value=1_000))
def test_an_account_lives_where_every_kafka_client_puts_its_key(
    account: str, partitions: int
) -> None:
    theirs = DefaultPartitioner()(account.encode(), list(range(partitions)), [])
    assert ids.partition_of(account, partitions) == theirs


def test_the_hash_is_that_of_apache_kafkas_own_tests() -> None:
    cases = {
        b"21": -973932308,
        b"foobar": -790332482,
        b"a-little-bit-long-string": -985981536,
        b"a-little-bit-longer-string": -1486304829,
        b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
        b"abc": 479470107,
    }
    assert {data: ids.murmur2(data) for data in cases} == {
        k: v & 0xFFFFFFFF for k, v in cases.items()
    }
