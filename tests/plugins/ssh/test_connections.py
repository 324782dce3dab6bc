"""The agent's connections: no client harms another one."""

import asyncio
import contextlib
import logging
import os
import select
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from signer_core import Signer
from signer_ssh.agent import Agent
from signer_ssh.connections import Connections
from signer_ssh.keys import encode_key, verify
from signer_ssh.messages import FAILURE, MAX_BYTES
from signer_ssh.wire import string, uint32
from tests.keys import PATIENCE, GatedKey
from tests.plugins.ssh.keys import authentication, public_key, sign_request, signer
from tests.plugins.ssh.test_agent import LIST, listed, signed

KEY = encode_key(public_key())
ANYONE = os.geteuid()


class Client:
    """One connection to the agent."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, content: bytes) -> None:
        self.writer.write(content)

    async def answer(self) -> bytes:
        size = int.from_bytes(await self.reader.readexactly(4), "big")
        return await self.reader.readexactly(size)

    async def ask(self, request: bytes) -> bytes:
        self.send(string(request))
        return await self.answer()

    async def is_left(self) -> bool:
        """Whether the agent ends the connection, without one more byte."""
        try:
            return await self.reader.read(1) == b""
        except ConnectionError:
            return True

    def leave(self) -> None:
        self.writer.transport.abort()


class Serving:
    """An agent's socket, and how to stop it."""

    def __init__(self, path: Path, stop: asyncio.Event, task: "asyncio.Task[None]") -> None:
        self.path = path
        self.stop = stop
        self.task = task
        self.clients: list[Client] = []

    async def client(self) -> Client:
        self.clients.append(Client(*await asyncio.open_unix_connection(self.path)))
        return self.clients[-1]


@contextlib.asynccontextmanager
async def serving(place: Path, *signers: Signer, **options: Any) -> AsyncIterator[Serving]:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place / "agent"))
        listening.listen()
        stop = asyncio.Event()
        connections = Connections(Agent(signers), **options)
        task = asyncio.create_task(connections.serve(listening, stop))
        running = Serving(place / "agent", stop, task)
        try:
            yield running
        finally:
            for client in running.clients:
                client.leave()
            stop.set()
            await task


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def within() -> None:
        async with asyncio.timeout(PATIENCE):
            await test()

    asyncio.run(within())


def test_requests_are_answered_in_their_order_however_they_come(tmp_path: Path) -> None:
    async def test() -> None:
        with signer() as mine:
            async with serving(tmp_path, mine) as agent:
                client = await agent.client()
                client.send(string(LIST) + string(b"\xff") + string(b"") + string(sign_request(KEY, authentication())))
                assert listed(await client.answer()) == [(KEY, "mine")]
                assert [await client.answer(), await client.answer()] == [FAILURE, FAILURE]
                verify(KEY, signed(await client.answer()), authentication())
                for number in string(LIST):
                    client.send(bytes([number]))
                    await client.writer.drain()
                    await asyncio.sleep(0)
                assert listed(await client.answer()) == [(KEY, "mine")]

    run(test)


@pytest.mark.parametrize("size", [MAX_BYTES + 1, 2**31, 2**32 - 1])
def test_a_message_that_is_too_large_ends_its_connection_and_no_other(
    size: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        with signer() as mine:
            async with serving(tmp_path, mine) as agent:
                other, client = await agent.client(), await agent.client()
                client.send(uint32(size) + LIST * 1000)
                assert await client.answer() == FAILURE
                assert await client.is_left()
                assert listed(await other.ask(LIST)) == [(KEY, "mine")]

    run(test)
    assert f"a message of {size} bytes" in caplog.text


def test_the_largest_message_is_answered(tmp_path: Path) -> None:
    async def test() -> None:
        async with serving(tmp_path) as agent:
            client = await agent.client()
            assert await client.ask(bytes(MAX_BYTES)) == FAILURE
            assert listed(await client.ask(LIST)) == []

    run(test)


@pytest.mark.parametrize("begun", [b"\0", b"\0\0\0", string(LIST)[:-1], string(bytes(MAX_BYTES))[:-1]])
def test_a_client_that_does_not_go_on_is_left(begun: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with serving(tmp_path, patience=0.05) as agent:
            idle, client = await agent.client(), await agent.client()
            client.send(begun)
            assert await client.is_left()
            assert listed(await idle.ask(LIST)) == []

    run(test)
    assert "it took longer than 0.05s" in caplog.text


def test_a_client_that_takes_no_answers_is_left(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def hangs_up(client: socket.socket) -> bool:
        poll = select.poll()
        poll.register(client, 0)  # a hang-up is always told
        return bool(poll.poll(PATIENCE * 1000))

    async def test() -> None:
        with signer(name="x" * 10_000) as mine, socket.socket(socket.AF_UNIX) as client:
            async with serving(tmp_path, mine, patience=0.05) as agent:
                client.connect(str(agent.path))
                client.sendall(string(LIST) * 1000)
                assert await asyncio.to_thread(hangs_up, client)
                assert len(await (await agent.client()).ask(LIST)) > 10_000

    run(test)
    assert "it took longer than 0.05s" in caplog.text


def test_clients_may_leave_whenever_they_like(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        with signer() as mine:
            async with serving(tmp_path, mine) as agent:
                whole = string(sign_request(KEY, authentication())) + string(LIST)
                for end in range(len(whole)):
                    client = await agent.client()
                    client.send(whole[:end])
                    client.leave()
                assert listed(await (await agent.client()).ask(LIST)) == [(KEY, "mine")]

    run(test)
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


def test_more_clients_than_there_may_be_are_refused_until_one_leaves(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        async with serving(tmp_path, most=2) as agent:
            first, second = await agent.client(), await agent.client()
            assert listed(await first.ask(LIST)) == listed(await second.ask(LIST)) == []
            assert await (await agent.client()).is_left()
            first.leave()
            while True:
                client = await agent.client()
                client.send(string(LIST))
                if not await client.is_left():
                    return

    run(test)
    assert "refused a client: there are 2 already" in caplog.text


def test_clients_of_other_users_are_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with serving(tmp_path, users={ANYONE + 1}) as agent:
            client = await agent.client()
            client.send(string(LIST))
            assert await client.is_left()

    run(test)
    assert f"refused a client: it is one of another user, of the number {ANYONE}" in caplog.text


def test_a_client_whose_key_takes_its_time_keeps_nobody_waiting(tmp_path: Path) -> None:
    async def test() -> None:
        key = GatedKey()
        encoded = encode_key(key.public_key)
        data = authentication().replace(KEY, encoded)
        with Signer(key, name="slow") as slow:
            async with serving(tmp_path, slow) as agent:
                client, other = await agent.client(), await agent.client()
                client.send(string(sign_request(encoded, data)))
                await asyncio.to_thread(key.entered.acquire)
                assert listed(await other.ask(LIST)) == [(encoded, "slow")]
                key.gate.set()
                verify(encoded, signed(await client.answer()), data)

    run(test)


def test_an_end_does_not_wait_for_clients(tmp_path: Path) -> None:
    """Neither for those that do nothing, nor for one whose signature is not there yet."""

    async def test() -> None:
        key = GatedKey()
        encoded = encode_key(key.public_key)
        with Signer(key) as slow:
            async with serving(tmp_path, slow) as agent:
                idle, client = await agent.client(), await agent.client()
                client.send(string(sign_request(encoded, authentication().replace(KEY, encoded))))
                await asyncio.to_thread(key.entered.acquire)
                agent.stop.set()
                await agent.task
                assert await idle.is_left()
                assert await client.is_left()
            key.gate.set()

    run(test)
