"""``python -m benchmarks.soak``: sign for a while with AWS KMS, from many threads, while every fiftieth request fails.

The KMS is the fake one of ``signer_aws_kms.testing``, in a process of its own. What is promised, and checked: each call
returns a signature that verifies or raises a ``SignerError``, none is lost, none is wrong; no more connections are
opened than ``max_connections`` and one for each fault; and memory does not grow.
"""

import argparse
import collections
import gc
import logging
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

import attrs
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_der_public_key

from signer_aws_kms.testing import FakeKms, faults
from signer_core import Signer, create_signer
from signer_core.errors import SignerError

ALIAS = "alias/soak"
EVERY = 50  # requests to one fault: 2 %
WARM_UP = 0.25  # of the signatures
MIB = 1024 * 1024
#: Few, so that the warm-up has seen them all: glibc keeps freed memory of each size in each thread, 230 KiB a thread at
#: most, and would seem to grow for as long as new sizes come.
SIZES = (0, 32, 256, 1024, 4096)

FAULTS = {
    "throttled": faults.throttle(),
    "throttled, with Retry-After": faults.throttle(retry_after=0),
    "KMSInternalException": faults.error("KMSInternalException"),
    "DependencyTimeoutException": faults.error("DependencyTimeoutException"),
    "HTTP 500 with HTML": faults.http_error(500),
    "HTTP 503 with HTML": faults.http_error(503),
    "reset": faults.reset(),
    "closed": faults.close(),
    "lost": faults.lose(),
    "cut": faults.cut(),
    "hanging": faults.hang(),
    "dripping": faults.drip(),
    "garbage": faults.garbage(),
    "no signature": faults.without("Signature"),
    "another key's ARN": faults.other_key_id(),
    "another key's signature": faults.other_key_signature(),
    "a flipped bit": faults.flip_bit(7),
    "a short signature": faults.shorten(),
}
#: Those that may be an attack, so that the call fails at once.
FATAL = ("another key's ARN", "another key's signature", "a flipped bit", "a short signature")


@attrs.frozen(kw_only=True)
class Soaked:
    """What came of it."""

    wanted: int
    outcomes: collections.Counter[str]
    faults: dict[str, int]
    requests: int
    connections: int
    max_connections: int
    grown: int
    seconds: float

    def broken(self) -> Iterator[str]:
        """The promises that were not kept."""
        if self.outcomes["wrong"]:
            yield f"{self.outcomes['wrong']} wrong signatures were returned"
        if self.outcomes.total() != self.wanted:
            yield f"{self.wanted - self.outcomes.total()} calls were lost"
        if foreign := [name for name in self.outcomes if name.startswith("foreign")]:
            yield f"errors that are no SignerError: {foreign}"
        if not self.outcomes["signed"]:
            yield "nothing was signed"
        if unseen := [name for name, hits in self.faults.items() if not hits]:
            yield f"faults that did not happen: {unseen}"
        allowed = self.max_connections + sum(self.faults.values())
        if self.connections > allowed:
            yield f"{self.connections} connections were opened, where {allowed} would do"
        if self.grown >= 5 * MIB:
            yield f"memory grew by {self.grown / MIB:.1f} MiB"

    def __str__(self) -> str:
        return "\n".join(
            [
                f"{self.wanted} calls in {self.seconds:.1f}s, {self.wanted / self.seconds:.0f}/s",
                f"outcomes: {dict(self.outcomes)}",
                f"{self.requests} requests, of which {sum(self.faults.values())} failed: {self.faults}",
                f"{self.connections} connections for {self.max_connections} at once",
                f"memory grew by {self.grown / MIB:.2f} MiB after the warm-up",
            ]
        )


def serve(pipe: Connection) -> None:
    """The fake KMS, in a process of its own: tells how to reach it, and in the end what it has seen."""
    with FakeKms() as kms:
        key = kms.create_key(alias=ALIAS)
        injections = {
            name: kms.inject(fault, operation="Sign", times=None, every=EVERY * len(FAULTS), skip=EVERY * number)
            for number, (name, fault) in enumerate(FAULTS.items())
        }
        pipe.send((kms.environment(), key.public_key_der))
        pipe.recv()
        hits = {name: injection.hits for name, injection in injections.items()}
        pipe.send((kms.requests["Sign"], kms.connections_opened, hits))


def soak(*, signatures: int, threads: int, max_connections: int) -> Soaked:
    """Sign, and say what came of it."""
    context = multiprocessing.get_context("spawn")
    pipe, end = context.Pipe()
    server = context.Process(target=serve, args=(end,), daemon=True)
    server.start()
    end.close()  # so that an end of the other process is an end of the pipe
    try:
        environment, public_key = pipe.recv()
        os.environ.update(environment)
        config = {
            "backend": "awskms",
            "key_id": ALIAS,
            "attempt_timeout": "1s",
            "timeout": "20s",
            "max_connections": max_connections,
        }
        public = load_der_public_key(public_key)
        outcomes: collections.Counter[str] = collections.Counter()
        with create_signer(config) as signer, ThreadPoolExecutor(threads) as pool:
            warm_up = round(signatures * WARM_UP)
            began = time.perf_counter()
            for count in (warm_up, signatures - warm_up):
                before = memory()
                tickets = iter(range(count))
                for each in [pool.submit(work, signer, public, tickets) for _ in range(threads)]:
                    outcomes += each.result()
            grown = memory() - before
            seconds = time.perf_counter() - began
        pipe.send("stop")
        requests, connections, hits = pipe.recv()
    finally:
        pipe.close()
        server.join(10)
        server.kill()
    return Soaked(
        wanted=signatures,
        outcomes=outcomes,
        faults=hits,
        requests=requests,
        connections=connections,
        max_connections=max_connections,
        grown=grown,
        seconds=seconds,
    )


def work(signer: Signer, public_key: Any, tickets: Iterator[int]) -> collections.Counter[str]:
    """Sign one message per ticket; the outcomes."""
    outcomes: collections.Counter[str] = collections.Counter()
    for ticket in tickets:
        message = ticket.to_bytes(4, "big") * (SIZES[ticket % len(SIZES)] // 4)
        try:
            signature = signer.sign(message)
            public_key.verify(signature, message)
        except SignerError as error:
            outcomes[error.code] += 1
        except InvalidSignature:
            outcomes["wrong"] += 1
        except Exception as error:  # what no caller would expect
            outcomes[f"foreign {type(error).__name__}"] += 1
        else:
            outcomes["signed"] += 1
    return outcomes


def memory() -> int:
    """The bytes of this process in memory now; where the system does not tell, the most that it ever had."""
    gc.collect()
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main() -> int:
    """Run as a program: exit with 1 if a promise was not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--signatures", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=64)
    parser.add_argument("--max-connections", type=int, default=64)
    logging.disable()
    soaked = soak(**vars(parser.parse_args()))
    print(soaked)
    broken = list(soaked.broken())
    for each in broken:
        print(f"NOT KEPT: {each}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
