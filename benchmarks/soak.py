"""``python -m benchmarks.soak``: sign for a while with AWS KMS, from many threads, while every fiftieth request fails.

The KMS is the fake one of ``signer_aws_kms.testing``, in a process of its own. The key is looked up anew each second,
and the credentials are good for some hundred requests: AWS's configuration has a program that prints others. What is
promised, and checked: each call returns a signature that verifies or raises a ``SignerError``, and it raises only where
it should; no more connections are opened than ``max_connections`` and one for each fault; and memory does not grow.
"""

import argparse
import collections
import gc
import logging
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_der_public_key

from benchmarks.soak_credentials import USES
from benchmarks.soak_kms import ALIAS, RENEWAL_FAULTS, serve
from signer_core import Signer, create_signer
from signer_core.errors import SignerError

WARM_UP = 0.25  # of the signatures
CACHE_TTL = 1.0  # seconds
MIB = 1024 * 1024
#: Few, so that the warm-up has seen them all: glibc keeps freed memory of each size in each thread, 230 KiB a thread at
#: most, and would seem to grow for as long as new sizes come.
SIZES = (4, 32, 256, 1024, 4096)

#: What a call may end in, beside a signature: a fatal fault, or four attempts that failed.
EXPECTED = {"signature-verification", "backend-unavailable", "deadline-exceeded"}


@attrs.frozen(kw_only=True)
class Soaked:
    """What came of it."""

    wanted: int
    #: How many calls were signed, returned a wrong signature, or raised, by the code of the error.
    outcomes: collections.Counter[str]
    faults: dict[str, int]
    #: How many answers were a wrong signature, or another key's: the fatal faults that did not meet an error anyway.
    falsified: int
    requests: int
    renewals: int
    #: How many there were, and how many requests were refused for old ones.
    credentials: int
    refusals: int
    connections: int
    max_connections: int
    grown: int
    seconds: float

    def broken(self) -> Iterator[str]:
        """The promises that were not kept."""
        raised = collections.Counter(
            {code: count for code, count in self.outcomes.items() if code not in ("signed", "wrong")}
        )
        if self.outcomes["wrong"]:
            yield f"{self.outcomes['wrong']} wrong signatures were returned"
        if self.outcomes["signed"] + raised.total() != self.wanted:
            yield f"of {self.wanted} calls {self.outcomes['signed']} were signed and {raised.total()} raised"
        if unexpected := set(raised) - EXPECTED:
            yield f"errors that nothing should lead to: {unexpected}"
        if raised["signature-verification"] != self.falsified:
            yield f"{self.falsified} answers were false, and {raised['signature-verification']} calls said so"
        if unseen := [name for name, hits in self.faults.items() if not hits and name not in RENEWAL_FAULTS]:
            yield f"faults that did not happen: {unseen}"
        if self.renewals < self.seconds / CACHE_TTL / 4:
            yield f"the key was looked up {self.renewals} times in {self.seconds:.1f}s"
        if self.credentials < self.requests // (4 * USES) or not self.refusals:
            yield f"{self.credentials} credentials were in use, and {self.refusals} requests refused for old ones"
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
                f"{self.renewals} looks at the key, {self.credentials} credentials, {self.refusals} refusals of old",
                f"{self.connections} connections for {self.max_connections} at once",
                f"memory grew by {self.grown / MIB:.2f} MiB after the warm-up",
            ]
        )


def soak(*, signatures: int, threads: int, max_connections: int) -> Soaked:
    """Sign, and say what came of it."""
    context = multiprocessing.get_context("spawn")
    pipe, end = context.Pipe()
    with tempfile.TemporaryDirectory() as directory:
        server = context.Process(target=serve, args=(end, Path(directory)), daemon=True)
        server.start()
        end.close()  # so that an end of the other process is an end of the pipe
        try:
            url, region, public_key = pipe.recv()
            use_credentials_in(Path(directory))
            config = {
                "backend": "awskms",
                "key_id": ALIAS,
                "region": region,
                "endpoint_url": url,
                "attempt_timeout": "5s",  # more than a loaded machine stands still
                "timeout": "30s",
                "cache_ttl": CACHE_TTL,
                "max_connections": max_connections,
            }
            outcomes, grown, seconds = signed(config, load_der_public_key(public_key), signatures, threads)
            pipe.send("stop")
            seen = pipe.recv()
        finally:
            pipe.close()
            server.join(10)
            server.kill()
    return Soaked(
        wanted=signatures,
        outcomes=outcomes,
        **seen,
        max_connections=max_connections,
        grown=grown,
        seconds=seconds,
    )


def use_credentials_in(directory: Path) -> None:
    """Let AWS's configuration be a profile whose credential process prints what :func:`put_credentials` put there."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    configuration = Path(directory, "config")
    configuration.write_text(f"[default]\ncredential_process = cat {directory}/credentials\n")
    os.environ.update(
        AWS_CONFIG_FILE=str(configuration), AWS_SHARED_CREDENTIALS_FILE=os.devnull, AWS_EC2_METADATA_DISABLED="true"
    )
    os.environ["NO_PROXY"] = "127.0.0.1"


def signed(
    config: dict[str, Any], public_key: Any, signatures: int, threads: int
) -> tuple[collections.Counter[str], int, float]:
    """The outcomes of so many calls, the bytes by which memory grew after the warm-up, and the seconds it took."""
    outcomes: collections.Counter[str] = collections.Counter()
    with create_signer(config) as signer, ThreadPoolExecutor(threads) as pool:
        warm_up = round(signatures * WARM_UP)
        began = time.perf_counter()
        for count in (warm_up, signatures - warm_up):
            before = memory()
            tickets = iter(range(count))
            for each in [pool.submit(work, signer, public_key, tickets) for _ in range(threads)]:
                outcomes += each.result()
        return outcomes, memory() - before, time.perf_counter() - began


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
