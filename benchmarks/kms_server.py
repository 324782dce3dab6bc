"""The stand-in for KMS in a process of its own, and the environment in which boto3 finds its way to it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, cast

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "NO_PROXY": "127.0.0.1",
}


@contextmanager
def stand_in(delay: float, certificate: Path | None, *, slow: tuple[float, float] = (0, 0)) -> Iterator[str]:
    """The URL of a running stand-in, which answers after ``delay`` seconds; ``slow`` is a share of its signatures, and
    their seconds.
    """
    command = [
        sys.executable,
        "-m",
        "benchmarks.kms_stand_in",
        str(delay),
        str(certificate or ""),
        *map(str, slow),
    ]
    with ExitStack() as stack:
        process = stack.enter_context(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        stdin, stdout = cast("tuple[IO[str], IO[str]]", (process.stdin, process.stdout))
        stack.callback(stdin.close)
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{stdout.readline().strip()}"


@contextmanager
def certificate() -> Iterator[Path]:
    """A certificate of 127.0.0.1 with its key, which boto3 and signer-core trust by the environment set here."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "certificate.pem")
        path.write_bytes(certificate_of_127_0_0_1())
        os.environ.update(ENVIRONMENT, AWS_CA_BUNDLE=str(path))
        yield path


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
