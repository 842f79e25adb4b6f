"""What a connection leaves behind; its talking is covered in ``tests/e2e/port``."""

import asyncio
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from argus_py.web.connection import HttpConnection


class Transport(asyncio.Transport):
    """To nowhere."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def close(self) -> None:
        pass


@pytest.mark.parametrize("reason", [None, ConnectionResetError()])
def test_a_lost_connection_is_not_held_until_it_would_have_been_idle(reason: Exception | None) -> None:
    async def connect_and_lose() -> HttpConnection:
        config = Config(lambda: None, log_config=None)
        config.load()
        connection = HttpConnection(config, ServerState(), {})
        connection.connection_made(Transport())
        assert connection.timeout_keep_alive_task is not None
        connection.connection_lost(reason)
        return connection

    assert asyncio.run(connect_and_lose()).timeout_keep_alive_task is None
