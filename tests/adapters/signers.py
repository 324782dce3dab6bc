"""A signer of each backend for each algorithm that it has."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from signer_aws_kms.testing import FakeKms
from signer_core import Algorithm, Secret, Signer, create_signer, init_signer
from signer_core.plugins import load_backend

#: The ``KeySpec`` of AWS KMS.
_KMS_SPECS = {
    Algorithm.ED25519: "ECC_NIST_EDWARDS25519",
    Algorithm.ECDSA_P256_SHA256: "ECC_NIST_P256",
    Algorithm.RSA_PSS_SHA256: "RSA_2048",
    Algorithm.RSA_PKCS1V15_SHA256: "RSA_2048",
}


class Kind(NamedTuple):
    """A signer to be opened."""

    backend: str
    algorithm: Algorithm

    def __str__(self) -> str:
        return f"{self.backend}-{self.algorithm}"

    def open(self, directory: Path, kms: FakeKms) -> Signer:
        """The signer, of a new key."""
        return getattr(self, f"_open_{self.backend}")(directory, kms)  # type: ignore[no-any-return]

    def _open_noop(self, directory: Path, kms: FakeKms) -> Signer:
        return create_signer({"backend": "noop", "algorithm": self.algorithm.value})

    def _open_file(self, directory: Path, kms: FakeKms) -> Signer:
        path = directory / f"{self.algorithm}.pem"
        passphrase = Secret(b"correct horse")
        size = {"rsa_bits": 2048} if self.algorithm.startswith("rsa") else {}
        return init_signer(
            {"backend": "file", "path": path, "passphrase": passphrase, "algorithm": self.algorithm.value, **size}
        )

    def _open_awskms(self, directory: Path, kms: FakeKms) -> Signer:
        key = kms.create_key(spec=_KMS_SPECS[self.algorithm])
        options = {"algorithm": self.algorithm.value} if self.algorithm.startswith("rsa") else {}
        return create_signer({"backend": "awskms", "key_id": key.arn, **options})


def kinds(algorithms: Iterable[Algorithm] = Algorithm) -> list[Kind]:
    """A key in memory for each of the algorithms; for those that everybody uses also one in a file and one in KMS."""
    offered = {name: load_backend(name).backend.algorithms for name in ("noop", "file", "awskms")}
    return [
        Kind(backend, algorithm)
        for algorithm in algorithms
        for backend in offered
        if algorithm in offered[backend] and (backend == "noop" or algorithm in _KMS_SPECS)
    ]


def noop(algorithm: Algorithm) -> Signer:
    """A signer of a new key in memory."""
    return create_signer({"backend": "noop", "algorithm": algorithm.value})
