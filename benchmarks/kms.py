"""Signing with AWS KMS, our verification included: beside a boto3 client with a connection pool of the same size."""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.kms_stand_in import ARN, MESSAGE
from benchmarks.measuring import Comparison, compared, interleaved
from signer_core import create_signer

CALLERS = 64
DELAY = 0.008  # seconds until KMS answers
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "NO_PROXY": "127.0.0.1",
}
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
    with tempfile.TemporaryDirectory() as directory:
        certificate = Path(directory, "certificate.pem")
        certificate.write_bytes(certificate_of_127_0_0_1())
        os.environ.update(ENVIRONMENT, AWS_CA_BUNDLE=str(certificate))
        for what, tls in (("http", None), ("TLS", certificate)):
            with stand_in(0, tls) as url, candidates(url) as (ours, raw):
                times = interleaved({"ours": ours, "raw": raw}, rounds=300, calls=5)
                yield compared(f"one caller, {what}", times["ours"], times["raw"], 0.6)
                yield compared(f"  its CPU, {what}", *cpu(ours, raw), 0.55)
            with stand_in(DELAY, tls) as url, candidates(url) as (ours, raw):
                yield from many_callers(f"{CALLERS} callers at 8 ms, {what}", ours, raw)
        yield from whole_processes(directory)


def many_callers(what: str, ours: Sign, raw: Sign) -> Iterator[Comparison]:
    """How many signatures a second, and the time in which 99 of 100 are made."""
    rates: dict[str, list[float]] = {"ours": [], "raw": []}
    worst: dict[str, list[float]] = {"ours": [], "raw": []}
    together(ours, 10)
    together(raw, 10)
    for _ in range(5):
        for name, sign in (("ours", ours), ("raw", raw)):
            rate, p99 = together(sign, 60 if name == "ours" else 20)
            rates[name].append(rate)
            worst[name].append(p99)
    rate, raw_rate = statistics.median(rates["ours"]), statistics.median(rates["raw"])
    print(f"{'':26} {rate:.0f}/s beside {raw_rate:.0f}/s")
    yield Comparison(what, rate, raw_rate, 3.0, seconds=False)
    yield compared("  their p99", worst["ours"], worst["raw"], 0.35)


def together(sign: Sign, calls: int) -> tuple[float, float]:
    """Signatures a second by all callers at once, and the 99th percentile of their times."""
    times: list[float] = []
    begin = threading.Barrier(CALLERS + 1)

    def call() -> None:
        own = []
        begin.wait()
        for _ in range(calls):
            started = time.perf_counter()
            sign()
            own.append(time.perf_counter() - started)
        times.extend(own)

    callers = [threading.Thread(target=call) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    begin.wait()
    started = time.perf_counter()
    for caller in callers:
        caller.join()
    return len(times) / (time.perf_counter() - started), statistics.quantiles(times, n=100)[98]


def cpu(ours: Sign, raw: Sign) -> tuple[list[float], list[float]]:
    """Seconds of processor time of one call."""
    times: dict[str, list[float]] = {"ours": [], "raw": []}
    for _ in range(30):
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
        yield compared("  its mandated imports", times["floor"], times["raw"], 0.8)
        memory = {name: statistics.median(run(name, 1000) for _ in range(3)) for name in ("ours", "raw")}
        print(f"{'':26} {memory['ours']:.1f} MB beside {memory['raw']:.1f} MB")
        yield Comparison("not more memory: factor", memory["raw"], memory["ours"], 1.0, seconds=False)


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


@contextmanager
def stand_in(delay: float, certificate: Path | None) -> Iterator[str]:
    """The URL of a running stand-in."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.kms_stand_in",
        str(delay),
        *([str(certificate)] if certificate else []),
    ]
    with ExitStack() as stack:
        process = stack.enter_context(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        assert process.stdin is not None
        assert process.stdout is not None
        stack.callback(process.stdin.close)
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{process.stdout.readline().strip()}"


def certificate_of_127_0_0_1() -> bytes:
    """A certificate that vouches for itself, and its key, in PEM."""
    import datetime as dt
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "the stand-in")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)
