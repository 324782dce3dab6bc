"""Signing with AWS KMS by one caller, our verification included: beside a boto3 client with a pool of the same size."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.kms_server import ENVIRONMENT, certificate, stand_in
from benchmarks.kms_stand_in import ARN, MESSAGE
from benchmarks.measuring import Comparison, compared, interleaved, shortened
from signer_core import create_signer

DISTRIBUTIONS = ("boto3", "cryptography")
CALLERS = 64
#: Region and endpoint are named on both sides, as in a configuration for a VPC endpoint.
RAW = f"""
import sys
import boto3
from botocore.config import Config
client = boto3.client("kms", "us-east-1", endpoint_url=sys.argv[2], config=Config(max_pool_connections={CALLERS}))
for _ in range(int(sys.argv[1])):
    client.sign(KeyId="{ARN}", Message={MESSAGE!r}, MessageType="RAW", SigningAlgorithm="ED25519_SHA_512")
"""
OURS = f"""
import sys
from signer_core import create_signer
signer = create_signer(
    {{
        "backend": "awskms",
        "key_id": "{ARN}",
        "region": "us-east-1",
        "endpoint_url": sys.argv[2],
        "max_connections": {CALLERS},
    }}
)
for _ in range(int(sys.argv[1])):
    signer.sign({MESSAGE!r})
"""

#: The imports that nobody can avoid who has boto3's session find credentials, and uses what signer-core stands on.
FLOOR = """
import attrs, botocore.session, importlib_metadata, pluggy
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
"""

#: Not getrusage, whose maximum begins with the parent's.
MEMORY = """
print(next(int(line.split()[1]) / 1e3 for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""

Sign = Callable[[], object]


def comparisons() -> Iterator[Comparison]:
    with certificate() as path, tempfile.TemporaryDirectory() as directory:
        for what, tls in (("plain", None), ("TLS", path)):
            with stand_in(0, tls) as url, candidates(url) as (ours, raw):
                times = interleaved({"ours": ours, "raw": raw}, rounds=1500)
                yield compared(f"one caller, {what}", times["ours"], times["raw"], 0.6)
                yield compared(f"  its CPU, {what}", *cpu(ours, raw), 0.55)
        yield from whole_processes(directory)


def cpu(ours: Sign, raw: Sign) -> tuple[list[float], list[float]]:
    """Seconds of processor time of one call."""
    times: dict[str, list[float]] = {"ours": [], "raw": []}
    for _ in range(shortened(30)):
        for name, sign in (("ours", ours), ("raw", raw)):
            started = time.process_time()
            for _ in range(50):
                sign()
            times[name].append((time.process_time() - started) / 50)
    return times["ours"], times["raw"]


def whole_processes(directory: str) -> Iterator[Comparison]:
    """From the start of a process to its first signature; and the memory of one that made a thousand."""
    scripts = {name: Path(directory, f"{name}.py") for name in ("ours", "raw", "floor")}
    for name, program in (("ours", OURS), ("raw", RAW), ("floor", FLOOR)):
        scripts[name].write_text(program + MEMORY)
    with stand_in(0, None) as url:
        environment = {**os.environ, **ENVIRONMENT}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)

        def run(name: str, signatures: int) -> float:
            """The process' largest memory in MB."""
            command = [sys.executable, str(scripts[name]), str(signatures), url]
            return float(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout)

        times = interleaved({name: lambda name=name: run(name, 1) for name in scripts}, rounds=31)  # type: ignore[misc]
        yield compared("first signature", times["ours"], times["raw"], 0.8)
        yield compared(
            "  beside its floor", times["ours"], times["floor"], None, who="first signature, awskms", chart="start"
        )
        yield compared("  the floor, its imports", times["floor"], times["raw"], None)
        memory = {name: statistics.median(run(name, 1000) for _ in range(3)) for name in ("ours", "raw")}
        yield Comparison("memory, 1000 signatures", memory["ours"], memory["raw"], 1.0, unit="MB")


@contextmanager
def candidates(url: str) -> Iterator[tuple[Sign, Sign]]:
    """Ours, and boto3's."""
    import boto3
    from botocore.config import Config

    client = boto3.client("kms", endpoint_url=url, config=Config(max_pool_connections=CALLERS))
    parameters = {"KeyId": ARN, "Message": MESSAGE, "MessageType": "RAW", "SigningAlgorithm": "ED25519_SHA_512"}
    config = {"backend": "awskms", "key_id": ARN, "endpoint_url": url, "max_connections": CALLERS}
    with create_signer(config) as signer:
        yield lambda: signer.sign(MESSAGE), lambda: client.sign(**parameters)
    client.close()
