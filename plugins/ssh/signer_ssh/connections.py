"""The agent's connections: from the bytes of many clients to single requests, and back.

No client can harm the others: a message, the time that it takes to come or to be taken, and the number of connections
are all limited.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Collection

from signer_ssh import messages
from signer_ssh.agent import Agent
from signer_ssh.bindings import Bindings
from signer_ssh.peer import user_at
from signer_ssh.wire import string

_logger = logging.getLogger("signer_ssh")

MOST_CONNECTIONS = 128
#: Seconds for a message that has begun, and for an answer.
PATIENCE = 10.0


class Connections:
    """Serves ``agent`` to the clients of a socket, each of which belongs to one of ``users`` (by their numbers).

    ``most`` is the number of clients at a time, ``patience`` the seconds that one may take for the rest of a message,
    or to take an answer. One that sends nothing may stay: forwarded connections do so for hours.
    """

    def __init__(
        self,
        agent: Agent,
        *,
        users: Collection[int] | None = None,
        most: int = MOST_CONNECTIONS,
        patience: float = PATIENCE,
    ) -> None:
        self._agent = agent
        self._users = frozenset({os.geteuid(), 0} if users is None else users)
        self._most = most
        self._patience = patience
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, listening: socket.socket, stop: asyncio.Event) -> None:
        """Serve the clients of the bound socket ``listening`` until ``stop`` is set; then close all."""
        server = await asyncio.start_unix_server(self._connected, sock=listening)
        try:
            await stop.wait()
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """No coroutine, so that a client that is refused costs no task."""
        if refusal := self._refusal(writer):
            _logger.warning("refused a client: %s", refusal)
            writer.transport.abort()
            return
        task = asyncio.get_running_loop().create_task(self._served(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _refusal(self, writer: asyncio.StreamWriter) -> str | None:
        user = user_at(writer.get_extra_info("socket"))
        if user not in self._users:
            return f"it is one of another user, of the number {user}"
        if len(self._tasks) >= self._most:
            return f"there are {self._most} already"
        return None

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            bindings = Bindings()
            while (message := await self._message(reader)) is not None:
                await self._send(writer, await self._agent.answer(message, bindings))
            await self._send(writer, messages.FAILURE)
        except TimeoutError:
            _logger.warning("left a client: it took longer than %gs for a message", self._patience)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # it left
        finally:
            writer.transport.abort()  # what the client has not taken by now, it will not

    async def _message(self, reader: asyncio.StreamReader) -> bytes | None:
        """The next message; None for one that is too large, after which no other is found."""
        start = await reader.readexactly(1)
        async with asyncio.timeout(self._patience):
            size = int.from_bytes(start + await reader.readexactly(3), "big")
            if size > messages.MAX_BYTES:
                _logger.warning("refused: a message of %d bytes; the most are %d", size, messages.MAX_BYTES)
                return None
            return await reader.readexactly(size)

    async def _send(self, writer: asyncio.StreamWriter, answer: bytes) -> None:
        writer.write(string(answer))
        async with asyncio.timeout(self._patience):
            await writer.drain()
