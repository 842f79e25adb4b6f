"""Callers that wait for the policy to change."""

import asyncio
import math
import threading
from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import Scope

from argus_py.errors import NotPermitted
from argus_py.model.policy_news import News
from argus_py.web.changes import ChangeFeed, changes_route

NEVER = timedelta(hours=1)


def feed(wait: timedelta = NEVER, most: int = 10, now: float = 100.0) -> ChangeFeed:
    return ChangeFeed(lambda: now, wait, most)


async def settled() -> None:
    """Everything that can go on has gone on."""
    for _ in range(10):
        await asyncio.sleep(0)


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(10):
            await test()

    asyncio.run(limited())


def test_another_state_than_the_known_one_is_told_at_once() -> None:
    changes = feed()
    changes.announce("b", made=98.5)

    async def test() -> None:
        assert await changes.after("a") == News("b", timedelta(seconds=1.5))
        assert await changes.after("") == News("b", timedelta(seconds=1.5))

    run(test)


def test_a_change_wakes_all_who_wait_whichever_thread_it_comes_from() -> None:
    changes = feed()
    changes.announce("a")

    async def test() -> None:
        waiting = [asyncio.create_task(changes.after("a")) for _ in range(3)]
        await settled()
        assert not any(task.done() for task in waiting)
        thread = threading.Thread(target=changes.announce, args=("b",))
        thread.start()
        assert await asyncio.gather(*waiting) == [News("b")] * 3
        thread.join()

    run(test)


def test_the_state_that_is_known_is_no_news() -> None:
    changes = feed()
    changes.announce("a")

    async def test() -> None:
        waiting = asyncio.create_task(changes.after("a"))
        await settled()
        changes.announce("a")
        await settled()
        assert not waiting.done()
        changes.announce("b")
        assert await waiting == News("b")

    run(test)


def test_there_is_nothing_to_tell_after_a_while() -> None:
    async def test() -> None:
        changes = feed(wait=timedelta(milliseconds=1))
        changes.announce("a")
        assert await changes.after("a") is None

    run(test)


def test_a_state_that_is_lost_and_found_unchanged_is_no_news() -> None:
    changes = feed()
    changes.announce("a")

    async def test() -> None:
        waiting = asyncio.create_task(changes.after("a"))
        await settled()
        changes.lose_sight()
        changes.announce("a")
        await settled()
        assert not waiting.done()
        changes.announce("b")
        assert await waiting == News("b")

    run(test)


def test_nobody_waits_at_a_feed_that_is_closed() -> None:
    changes = feed()
    changes.announce("a")

    async def test() -> None:
        waiting = asyncio.create_task(changes.after("a"))
        await settled()
        changes.close()
        assert await waiting is None
        assert await changes.after("a") is None

    run(test)


def test_the_host_that_waits_most_often_makes_room() -> None:
    changes = feed(most=3)
    changes.announce("a")

    async def test() -> None:
        greedy = [asyncio.create_task(changes.after("a", "greedy")) for _ in range(3)]
        await settled()
        modest = asyncio.create_task(changes.after("a", "modest"))
        assert await greedy[0] is None
        await settled()
        assert [task.done() for task in (*greedy, modest)] == [True, False, False, False]
        changes.announce("b")
        assert await asyncio.gather(*greedy[1:], modest) == [News("b")] * 3

    run(test)


def test_a_caller_who_has_gone_leaves_his_place() -> None:
    changes = feed(most=1)
    changes.announce("a")

    async def test() -> None:
        gone = asyncio.create_task(changes.after("a"))
        await settled()
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        waiting = asyncio.create_task(changes.after("a"))
        await settled()
        assert not waiting.done()
        changes.announce("b")
        assert await waiting == News("b")

    run(test)


def test_an_announcement_after_the_end_of_the_loop_harms_nobody() -> None:
    changes = feed(wait=timedelta(milliseconds=1))
    changes.announce("a")

    async def test() -> None:
        assert await changes.after("a") is None

    run(test)
    changes.announce("b")


def ask(changes: ChangeFeed, query: str, permit: Callable[[Scope], None] = lambda _: None) -> httpx.Response:
    app = Starlette(routes=[changes_route(changes, permit)])

    async def exchange() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://pdp") as client:
            return await client.get(f"/v1/policy-changes{query}")

    return asyncio.run(exchange())


def test_news_are_json_that_nobody_keeps() -> None:
    changes = feed(now=3.0)
    changes.announce("b", made=1.0)
    answer = ask(changes, "?after=a")
    assert (answer.status_code, answer.content) == (200, b'{"state": "b", "age": 2.0}')
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("application/json", "no-store")


def test_without_news_there_is_no_content() -> None:
    changes = feed(wait=timedelta(milliseconds=1), now=math.inf)
    changes.announce("a")
    answer = ask(changes, "?after=a")
    assert (answer.status_code, answer.content) == (204, b"")


def test_who_has_no_policy_does_not_pass_for_one_that_has_not_changed() -> None:
    changes = feed(wait=timedelta(milliseconds=1))
    for state in ("", "a"):
        answer = ask(changes, f"?after={state}")
        assert (answer.status_code, answer.text) == (503, "the state of the policy is not known\n")


def test_who_may_not_listen_is_told_why_and_does_not_wait() -> None:
    def permit(scope: Scope) -> None:
        raise NotPermitted(f"nobody may have {scope['path']}")

    answer = ask(feed(), "", permit)
    assert (answer.status_code, answer.text) == (403, "nobody may have /v1/policy-changes\n")
