"""Coroutines within a running event loop, as a notebook has one: they run on a thread of their own."""

import asyncio

import dagster as dg
import pytest
from adapters_kit import table
from threads_kit import refuse

from jammi_dagster.adapters.execution.outputs import Receiver, produce
from jammi_dagster.errors import ThreadNotStarted


async def _body() -> object:
    return table(1, 2)


def test_a_coroutine_whose_thread_cannot_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one the error is typed, and nothing is left open; with one the coroutine's table is there."""
    receiver = Receiver(key=dg.AssetKey("t"))

    async def within_a_loop() -> object:
        with monkeypatch.context() as patch:
            refuse(patch, "jammi-coroutines")
            with pytest.raises(ThreadNotStarted, match="run a coroutine"):
                produce(_body, receiver)
        return produce(_body, receiver).data

    assert asyncio.run(within_a_loop()) == table(1, 2)
