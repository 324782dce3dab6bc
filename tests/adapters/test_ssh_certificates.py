"""Certificates of OpenSSH's by cryptography's builder; ssh-keygen is on the other side."""

import re
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import SSHCertificateBuilder, SSHCertificateType

from signer_core import Algorithm, Signer
from signer_core.adapters.cryptography import UnsupportedUseError, as_private_key
from tests.adapters.signers import kinds, noop

#: The builder signs with SHA-512 for RSA (RFC 8332), and with the curve's hash for ECDSA (RFC 5656).
OF_OPENSSH = [
    Algorithm.ED25519,
    Algorithm.ECDSA_P256_SHA256,
    Algorithm.ECDSA_P384_SHA384,
    Algorithm.ECDSA_P521_SHA512,
    Algorithm.RSA_PKCS1V15_SHA512,
]


def shown_by(verb: str, path: Path) -> str:
    done = subprocess.run(["ssh-keygen", verb, "-f", path], check=True, capture_output=True, text=True, timeout=60)
    return done.stdout


def builder() -> SSHCertificateBuilder:
    user = Ed25519PrivateKey.generate().public_key()
    started = SSHCertificateBuilder().public_key(user).type(SSHCertificateType.USER).key_id(b"somebody")
    return started.valid_principals([b"somebody"]).valid_after(1).valid_before(2**40)


@pytest.mark.peer("ssh-keygen")
@pytest.mark.parametrize("signer", kinds(OF_OPENSSH), indirect=True, ids=str)
def test_ssh_keygen_reads_the_certificate(signer: Signer, tmp_path: Path) -> None:
    """Reading one it verifies the signature."""
    certificate = builder().sign(as_private_key(signer))
    path = tmp_path / "somebody-cert.pub"
    path.write_bytes(certificate.public_bytes())
    authority = tmp_path / "authority.pub"
    authority.write_bytes(signer.public_key.to_openssh())
    assert re.findall(r"Signing CA: \S+ (\S+)", shown_by("-L", path)) == [shown_by("-l", authority).split()[1]]


@pytest.mark.parametrize("algorithm", [Algorithm.RSA_PSS_SHA256, Algorithm.RSA_PKCS1V15_SHA256])
def test_another_rsa_algorithm_than_openssh_s_is_refused(algorithm: Algorithm) -> None:
    with noop(algorithm) as signer, pytest.raises(UnsupportedUseError, match=r"does not sign with .*SHA512"):
        builder().sign(as_private_key(signer))
