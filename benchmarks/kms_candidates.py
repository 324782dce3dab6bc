"""Who signs with AWS KMS: each a load of many calls at once, for a while, on a pool of as many connections."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from typing import Any

from benchmarks.kms_stand_in import ARN, MESSAGE, P256_ARN
from signer_core import create_signer

#: So many callers sign for so many seconds; the seconds that each of their calls took.
Load = Callable[[int, float], list[float]]
ED25519 = {"KeyId": ARN, "Message": MESSAGE, "MessageType": "RAW", "SigningAlgorithm": "ED25519_SHA_512"}


@contextmanager
def candidates(url: str, connections: int) -> Iterator[dict[str, Load]]:
    """By name. Region and credentials are those of the environment."""
    import boto3
    from botocore.config import Config

    config = {"backend": "awskms", "endpoint_url": url, "max_connections": connections}
    with ExitStack() as stack:
        client = boto3.client("kms", endpoint_url=url, config=Config(max_pool_connections=connections))
        stack.callback(client.close)
        ours = stack.enter_context(create_signer({**config, "key_id": ARN}))
        p256 = stack.enter_context(create_signer({**config, "key_id": P256_ARN}))
        yield {
            "boto3": in_threads(lambda: client.sign(**ED25519)),
            "ours": in_threads(lambda: ours.sign(MESSAGE)),
            "aiobotocore": in_tasks(url, connections),
            "ours, P-256": in_threads(lambda: p256.sign(MESSAGE)),
            "securesystemslib, P-256": in_threads(securesystemslib_of(url)),
        }


def securesystemslib_of(url: str) -> Callable[[], object]:
    """Its signer as it comes: with boto3's usual pool of ten connections, which it has no option for."""
    from securesystemslib.signer import AWSSigner

    os.environ["AWS_ENDPOINT_URL_KMS"] = url
    try:
        uri, public_key = AWSSigner.import_(P256_ARN)
        signer = AWSSigner.from_priv_key_uri(uri, public_key)
    finally:
        del os.environ["AWS_ENDPOINT_URL_KMS"]
    return lambda: signer.sign(MESSAGE)


def in_threads(sign: Callable[[], object]) -> Load:
    """One thread for each caller."""

    def load(callers: int, seconds: float) -> list[float]:
        times: list[float] = []
        begin = threading.Barrier(callers)

        def call() -> None:
            own = []
            begin.wait()
            end = time.perf_counter() + seconds
            while (started := time.perf_counter()) < end:
                sign()
                own.append(time.perf_counter() - started)
            times.extend(own)

        threads = [threading.Thread(target=call) for _ in range(callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return times

    return load


def in_tasks(url: str, connections: int) -> Load:
    """One task for each caller, all in one event loop."""
    from aiobotocore.config import AioConfig
    from aiobotocore.session import get_session

    async def loaded(callers: int, seconds: float) -> list[float]:
        times: list[float] = []

        async def call(client: Any, end: float) -> None:
            while (started := time.perf_counter()) < end:
                await client.sign(**ED25519)
                times.append(time.perf_counter() - started)

        async with AsyncExitStack() as stack:
            config = AioConfig(max_pool_connections=connections)
            client = await stack.enter_async_context(
                get_session().create_client("kms", endpoint_url=url, config=config)
            )
            await asyncio.gather(*(client.sign(**ED25519) for _ in range(callers)))  # connects
            end = time.perf_counter() + seconds
            await asyncio.gather(*(call(client, end) for _ in range(callers)))
        return times

    return lambda callers, seconds: asyncio.run(loaded(callers, seconds))
