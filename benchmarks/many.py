"""Many signatures at once: how far batches, iterators and awaited calls fill the cores, or the connections to KMS."""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.kms_candidates import ED25519
from benchmarks.kms_server import ENVIRONMENT, stand_in
from benchmarks.kms_stand_in import ARN, MESSAGE
from benchmarks.measuring import Comparison, compared, in_threads, interleaved, medians, shortened
from signer_core import create_signer

DISTRIBUTIONS = ("boto3", "cryptography")
CORES = len(os.sched_getaffinity(0))
BATCH = [bytes(range(256))] * 2000
AWAITED = 1000
CONNECTIONS = 64
FEW, SLOW = 16, 0.1  # connections, and seconds until KMS answers: so much that nothing else counts

#: Signs so many messages one by one, and prints the process' largest memory in KB, early and at the end.
MEMORY = """
import itertools, json, logging, sys
from collections import deque
from signer_core import create_signer

logging.disable()

def largest():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

number = int(sys.argv[1])
messages = (b"message %d" % each for each in range(number))
with create_signer({"backend": "noop"}) as signer:
    signatures = signer.sign_iter(messages)
    deque(itertools.islice(signatures, number // 100), 0)
    early = largest()
    deque(signatures, 0)
print(json.dumps([early, largest()]))
"""


def comparisons() -> Iterator[Comparison]:
    yield from local()
    yield from awaited()
    os.environ.update(ENVIRONMENT)
    with stand_in(0.008, None) as url:
        yield from kms(url)
    with stand_in(SLOW, None) as url:
        yield in_flight(url)
    yield memory()


def local() -> Iterator[Comparison]:
    raw = Ed25519PrivateKey.generate().sign
    with create_signer({"backend": "noop"}) as signer:

        def one_after_another(messages: list[bytes] = BATCH) -> None:
            for message in messages:
                raw(message)

        share = BATCH[: len(BATCH) // CORES]
        times = interleaved(
            {
                "raw": one_after_another,
                "raw threads": in_threads(lambda: one_after_another(share), CORES),
                "many": lambda: signer.sign_many(BATCH),
                "iter": lambda: deque(signer.sign_iter(BATCH), 0),
            },
            rounds=40,
            calls=len(BATCH),
        )
    own = medians(times)
    scales, raw_scales = own["raw"] / own["many"], own["raw"] / own["raw threads"]
    yield Comparison(f"sign_many, noop, {CORES} cores", scales, raw_scales, 0.9, seconds=False)
    yield compared("sign_iter beside sign_many", times["iter"], times["many"], 1.35)


def awaited() -> Iterator[Comparison]:
    """Each of many tasks waits for one signature; and one task for one after another."""
    raw = Ed25519PrivateKey.generate().sign
    with ExitStack() as stack:
        signer = stack.enter_context(create_signer({"backend": "noop"}))
        executor = stack.enter_context(ThreadPoolExecutor(CORES))

        async def raw_call() -> bytes:
            return await asyncio.get_running_loop().run_in_executor(executor, raw, MESSAGE)

        async def own_call() -> bytes:
            return await signer.sign_async(MESSAGE)

        async def together(call: Callable[[], Coroutine[Any, Any, bytes]]) -> None:
            await asyncio.gather(*(call() for _ in range(AWAITED)))

        async def in_turn(call: Callable[[], Coroutine[Any, Any, bytes]]) -> None:
            for _ in range(AWAITED):
                await call()

        for what, main in ((f"sign_async, {AWAITED} pending", together), ("sign_async, one by one", in_turn)):
            times = interleaved(
                {"ours": lambda: asyncio.run(main(own_call)), "raw": lambda: asyncio.run(main(raw_call))},  # noqa: B023
                rounds=20,
                calls=AWAITED,
            )
            yield compared(what, times["ours"], times["raw"], 1.5)


def kms(url: str) -> Iterator[Comparison]:
    """Signatures a second, ours verified, with as many connections as a boto3 client has, and as many threads."""
    import boto3
    from botocore.config import Config

    batch = [MESSAGE] * 1280
    config = {"backend": "awskms", "key_id": ARN, "endpoint_url": url, "max_connections": CONNECTIONS}
    with ExitStack() as stack:
        client = boto3.client("kms", endpoint_url=url, config=Config(max_pool_connections=CONNECTIONS))
        stack.callback(client.close)
        threads = stack.enter_context(ThreadPoolExecutor(CONNECTIONS))
        signer = stack.enter_context(create_signer(config))
        times = interleaved(
            {
                "raw": lambda: deque(threads.map(lambda _: client.sign(**ED25519), batch), 0),
                "many": lambda: signer.sign_many(batch),
                "iter": lambda: deque(signer.sign_iter(batch), 0),
            },
            rounds=7,
            calls=len(batch),
            warm_up=1,
        )
    own = medians(times)
    for what, name in (("sign_many", "many"), ("sign_iter", "iter")):
        yield Comparison(f"{what}, awskms at 8 ms", 1 / own[name], 1 / own["raw"], 3.0, unit="/s")


def in_flight(url: str) -> Comparison:
    """Signatures a second beside what the connections carry where all of them are always busy."""
    batch = [MESSAGE] * (FEW * 20)
    config = {"backend": "awskms", "key_id": ARN, "endpoint_url": url, "max_connections": FEW}
    rates = []
    with create_signer(config) as signer:
        for _ in range(shortened(3, least=1)):
            started = time.perf_counter()
            signer.sign_many(batch)
            rates.append(len(batch) / (time.perf_counter() - started))
    return Comparison(f"{FEW} connections at {SLOW * 1000:g} ms", statistics.median(rates), FEW / SLOW, 0.9, unit="/s")


def memory() -> Comparison:
    """Of a process that signs a million messages one by one, beside what it had when it had signed a hundredth."""
    number = shortened(1_000_000)
    done = subprocess.run([sys.executable, "-c", MEMORY, str(number)], check=True, stdout=subprocess.PIPE)
    early, largest = json.loads(done.stdout)
    return Comparison(f"memory of sign_iter, {number / 1e6:g} million", largest / 1e3, early / 1e3, 1.05, unit="MB")
