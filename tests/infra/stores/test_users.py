"""The user store's contract, held by the twin and by DynamoDB."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from uuid_utils.compat import uuid7

from infra.stores.dynamodb import connect
from infra.stores.memory_users import MemoryUsers
from infra.stores.users import (
    DynamoUsers,
    Unpublished,
    User,
    Users,
    ensure_tables,
)
from infra.unavailable import Unavailable

RACES = 50


@pytest.fixture(params=["memory", pytest.param("dynamodb", marks=pytest.mark.stack)])
async def users(request: pytest.FixtureRequest) -> AsyncIterator[Users]:
    if request.param == "memory":
        yield MemoryUsers()
        return
    async with connect(request.getfixturevalue("dynamodb")) as client:
        table = f"users-{uuid4()}"
        await ensure_tables(client, table)
        yield DynamoUsers(client, table)
        await client.delete_table(TableName=table)


def person(username: str = "ada", email: str = "ada@example.org") -> User:
    return User(str(uuid7()), username, email, "$argon2id$1", 1_700_000_000_000, first_name="Ada")


def event(body: bytes = b"{}") -> Unpublished:
    return Unpublished(str(uuid7()), body)


async def test_a_registered_user_is_found_by_name_and_by_id(users: Users) -> None:
    ada = person()
    assert await users.register(ada, event()) is None
    assert await users.by_name("ada") == await users.by_id(ada.account_id) == ada


async def test_an_unknown_user_is_none(users: Users) -> None:
    assert await users.by_name("ada") is None
    assert await users.by_id(str(uuid7())) is None


async def test_a_taken_name_and_a_taken_email_are_told_apart_and_leave_nothing(
    users: Users,
) -> None:
    await users.register(person(), event())
    assert await users.register(person(email="eve@example.org"), event()) == "username_taken"
    assert await users.register(person(username="eve"), event()) == "email_taken"
    assert await users.register(person(), event()) == "username_taken"
    assert await users.by_name("eve") is None
    assert len(await users.unpublished(10)) == 1


async def test_two_racing_registrations_of_a_name_have_one_winner(users: Users) -> None:
    for n in range(RACES):
        rivals = [person(f"name{n}", f"{who}{n}@example.org") for who in ("ada", "eve")]
        answers = await asyncio.gather(*(users.register(rival, event()) for rival in rivals))
        assert sorted(map(str, answers)) == ["None", "username_taken"]
        winner = rivals[answers.index(None)]
        assert await users.by_name(f"name{n}") == winner


async def test_a_profile_changes_once_a_version(users: Users) -> None:
    ada = person()
    await users.register(ada, event())
    new = ada._replace(email="ada@example.com", first_name=None, last_name="Lovelace")
    assert await users.change(ada, new, event()) is None
    assert await users.by_id(ada.account_id) == new._replace(version=1)
    assert await users.change(ada, new, event()) == "changed_meanwhile"
    assert len(await users.unpublished(10)) == 2  # what was refused told of nothing


async def test_an_email_is_nobody_else_s_and_is_free_when_it_was_left(users: Users) -> None:
    ada, eve = person(), person("eve", "eve@example.org")
    await users.register(ada, event())
    await users.register(eve, event())
    taken = eve._replace(email=ada.email)
    assert await users.change(eve, taken, event()) == "email_taken"
    assert await users.by_id(eve.account_id) == eve
    assert await users.change(ada, ada._replace(email="ada@example.com"), event()) is None
    assert await users.change(eve, taken, event()) is None
    assert await users.change(eve._replace(version=1, email=ada.email), taken, event()) is None


async def test_a_change_that_crosses_a_new_password_undoes_it_not(users: Users) -> None:
    ada = person()
    await users.register(ada, event())
    await users.replace_hash(ada.account_id, old=ada.password_hash, new="$argon2id$2")
    assert await users.change(ada, ada._replace(first_name="A"), event()) == "changed_meanwhile"


async def test_there_is_always_an_admin(users: Users) -> None:
    root = person("root", "root@example.org")._replace(role="admin")
    ada = person()
    await users.register(root, event())
    await users.register(ada, event())
    assert await users.grant(root, "customer", event()) == "last_admin"
    assert await users.grant(ada, "admin", event()) == "changed"
    assert await users.grant(ada, "admin", event()) == "changed_meanwhile"
    assert await users.by_id(ada.account_id) == ada._replace(role="admin", version=1)
    assert await users.grant(root, "customer", event()) == "changed"
    ada = ada._replace(role="admin", version=1)
    assert await users.grant(ada, "customer", event()) == "last_admin"


async def test_of_two_last_admins_who_leave_at_once_one_stays(users: Users) -> None:
    pair = [person(who, f"{who}@example.org")._replace(role="admin") for who in ("ada", "eve")]
    for admin in pair:
        await users.register(admin, event())
    for _ in range(10):
        told = await asyncio.gather(*(users.grant(one, "customer", event()) for one in pair))
        assert sorted(told) == ["changed", "last_admin"]
        left = await users.by_id(pair[told.index("changed")].account_id)
        assert left
        assert await users.grant(left, "admin", event()) == "changed"
        pair = [found for one in pair if (found := await users.by_id(one.account_id))]


async def test_nothing_is_left_of_who_is_erased(users: Users) -> None:
    ada, told = person(), event(b"told")
    await users.register(ada, event())
    await users.change(ada, ada._replace(first_name="A"), event())
    assert await users.erase(ada, event()) == "changed_meanwhile"
    ada = ada._replace(first_name="A", version=1)
    assert await users.erase(ada, told) == "erased"
    assert await users.by_id(ada.account_id) is await users.by_name(ada.username) is None
    assert list(await users.page("", 10)) == []
    assert told in await users.unpublished(10)
    assert await users.erase(ada, event()) == "changed_meanwhile"
    again = person(ada.username, ada.email)
    assert await users.register(again, event()) is None
    assert await users.by_name(ada.username) == again


async def test_the_last_admin_is_not_erased(users: Users) -> None:
    pair = [person(who, f"{who}@example.org")._replace(role="admin") for who in ("ada", "eve")]
    for admin in pair:
        await users.register(admin, event())
    told = await asyncio.gather(*(users.erase(one, event()) for one in pair))
    assert sorted(told) == ["erased", "last_admin"]


async def test_users_are_listed_by_name(users: Users) -> None:
    people = [person(name, f"{name}@example.org") for name in ("ada", "bob", "cyd", "dan")]
    for one in reversed(people):
        await users.register(one, event())
    assert list(await users.page("", 3)) == people[:3]
    assert list(await users.page("cyd", 3)) == people[3:]
    assert list(await users.page("dan", 3)) == []


async def test_a_new_password_and_what_tells_of_it_are_one(users: Users) -> None:
    ada = person()
    await users.register(ada, event())
    told = event(b"told")
    hashes = {"old": ada.password_hash, "new": "$argon2id$2"}
    assert await users.replace_hash(ada.account_id, **hashes, event=told)
    assert not await users.replace_hash(ada.account_id, **hashes, event=event())
    assert (await users.unpublished(10))[1:] == [told]


async def test_a_hash_is_replaced_only_if_it_is_still_the_old_one(users: Users) -> None:
    ada = person()
    await users.register(ada, event())
    assert await users.replace_hash(ada.account_id, old=ada.password_hash, new="$argon2id$2")
    assert not await users.replace_hash(ada.account_id, old=ada.password_hash, new="$argon2id$3")
    assert not await users.replace_hash(str(uuid7()), old=ada.password_hash, new="$argon2id$3")
    assert await users.by_name("ada") == ada._replace(password_hash="$argon2id$2")


async def test_the_outbox_gives_the_oldest_first_until_they_are_forgotten(users: Users) -> None:
    first, second, third = event(b"1"), event(b"2"), event(b"3")
    await users.keep(second)
    await users.register(person(), first)
    await users.keep(third)
    assert await users.unpublished(2) == [first, second]
    await users.forget(first.id)
    await users.forget(first.id)
    assert await users.unpublished(10) == [second, third]


async def test_tables_are_made_once(users: Users) -> None:
    if isinstance(users, DynamoUsers):
        assert await ensure_tables(users.client, users.table) == []


async def test_a_store_that_is_away_says_so(free_port: int) -> None:
    async with connect(f"http://127.0.0.1:{free_port}") as client:
        with pytest.raises(Unavailable, match="dynamodb"):
            await DynamoUsers(client).by_name("ada")


@pytest.mark.stack
async def test_a_lost_table_is_a_store_that_is_away(dynamodb: str) -> None:
    async with connect(dynamodb) as client:
        users = DynamoUsers(client, f"users-{uuid4()}")
        with pytest.raises(Unavailable):
            await users.by_id(str(uuid7()))
        with pytest.raises(Unavailable):
            await users.register(person(), event())
        with pytest.raises(Unavailable):
            await users.unpublished(1)
