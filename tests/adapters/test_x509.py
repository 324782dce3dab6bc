"""Certificates, requests, revocation lists and the like by cryptography's builders; openssl is on the other side."""

import datetime as dt
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509 import ocsp

from signer_core import Algorithm, Signer, hookimpl
from signer_core.adapters.cryptography import UnsupportedUseError, as_private_key
from signer_core.algorithms import FACTS
from signer_core.errors import PolicyViolationError
from tests.adapters.signers import kinds, noop
from tests.keys import Ed25519Key

ML_DSA = [each for each in Algorithm if each.startswith("ml-dsa")]
OF_X509 = [each for each in Algorithm if each not in ML_DSA]
NOW = dt.datetime.now(dt.UTC)
HOUR = dt.timedelta(hours=1)


def openssl(*arguments: str | Path, given: bytes = b"") -> str:
    done = subprocess.run(["openssl", *arguments], input=given, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return (done.stdout + done.stderr).decode()


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def arguments(algorithm: Algorithm) -> tuple[Any, dict[str, Any]]:
    """What a builder's ``sign`` takes after the key."""
    scheme = FACTS[algorithm].scheme
    hash_ = None if scheme.hash_name is None else getattr(hashes, scheme.hash_name.upper())()
    return hash_, {"rsa_padding": scheme.sign_arguments()[0]} if algorithm.startswith("rsa") else {}


class Authority:
    """A certificate authority whose key a signer has."""

    def __init__(self, signer: Signer, name: str, *, issuer: "Authority | None" = None) -> None:
        self.key = as_private_key(signer)
        self.arguments = arguments(signer.algorithm)
        self.name = named(name)
        self.identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        self.certificate = (issuer or self).issue(name, self.key.public_key(), ca=True)

    def issue(self, name: str, public_key: Any, *, ca: bool = False) -> x509.Certificate:
        others = "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"
        usage: dict[str, bool] = {**dict.fromkeys(others, False), "encipher_only": False, "decipher_only": False}
        builder = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(self.name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - HOUR)
            .not_valid_after(NOW + HOUR)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=ca, crl_sign=ca, **usage), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(self.identifier, critical=False)
        )
        return self.signed(builder)  # type: ignore[no-any-return]

    def revoked(self, *certificates: x509.Certificate) -> x509.CertificateRevocationList:
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.name)
        builder = builder.last_update(NOW - HOUR).next_update(NOW + HOUR).add_extension(self.identifier, critical=False)
        builder = builder.add_extension(x509.CRLNumber(1), critical=False)
        for each in certificates:
            entry = x509.RevokedCertificateBuilder().serial_number(each.serial_number).revocation_date(NOW - HOUR)
            builder = builder.add_revoked_certificate(entry.build())
        return self.signed(builder)  # type: ignore[no-any-return]

    def signed(self, builder: Any) -> Any:
        hash_, options = self.arguments
        return builder.sign(self.key, hash_, **options)


def written(path: Path, *content: Any) -> Path:
    path.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in content))
    return path


@pytest.mark.peer("openssl")
@pytest.mark.parametrize("signer", kinds(OF_X509), indirect=True, ids=str)
def test_openssl_verifies_a_chain_of_certificates_and_its_revocation_lists(signer: Signer, tmp_path: Path) -> None:
    with noop(Algorithm.ECDSA_P256_SHA256) as second, noop(Algorithm.ED25519) as third:
        root = Authority(signer, "root")
        intermediate = Authority(second, "intermediate", issuer=root)
        leaf = intermediate.issue("leaf", as_private_key(third).public_key())
        revoked = root.issue("revoked", as_private_key(third).public_key())
        lists = written(tmp_path / "lists.pem", root.revoked(revoked), intermediate.revoked())
    trust = "-CAfile", written(tmp_path / "root.pem", root.certificate), "-CRLfile", lists
    chain = "-untrusted", written(tmp_path / "intermediate.pem", intermediate.certificate)

    verify = "verify", "-x509_strict", "-crl_check_all"
    assert "leaf.pem: OK" in openssl(*verify, *trust, *chain, written(tmp_path / "leaf.pem", leaf))
    with pytest.raises(AssertionError, match="certificate revoked"):
        openssl(*verify, *trust, written(tmp_path / "revoked.pem", revoked))


@pytest.mark.peer("openssl")
@pytest.mark.parametrize("signer", kinds(OF_X509), indirect=True, ids=str)
def test_openssl_verifies_a_request_for_a_certificate(signer: Signer, tmp_path: Path) -> None:
    hash_, options = arguments(signer.algorithm)
    builder = x509.CertificateSigningRequestBuilder().subject_name(named("leaf"))
    request = builder.sign(as_private_key(signer), hash_, **options)
    said = openssl("req", "-verify", "-noout", "-subject", "-in", written(tmp_path / "request.pem", request))
    assert "verify OK" in said
    assert "CN = leaf" in said.replace("CN=leaf", "CN = leaf")


@pytest.mark.peer("openssl")
@pytest.mark.parametrize("algorithm", [each for each in OF_X509 if each is not Algorithm.ED25519])
def test_openssl_verifies_a_signed_document(algorithm: Algorithm, tmp_path: Path) -> None:
    with noop(algorithm) as signer:
        root = Authority(signer, "root")
        hash_, options = root.arguments
        builder = pkcs7.PKCS7SignatureBuilder().set_data(b"document")
        document = builder.add_signer(root.certificate, root.key, hash_, **options).sign(Encoding.DER, [])
    trust = written(tmp_path / "root.pem", root.certificate)
    said = openssl("cms", "-verify", "-inform", "DER", "-purpose", "any", "-CAfile", trust, given=document)
    assert "document" in said


@pytest.mark.peer("openssl")
@pytest.mark.parametrize("algorithm", [each for each in OF_X509 if not each.startswith("rsa-pss")])
def test_openssl_verifies_an_answer_about_revocation(algorithm: Algorithm, tmp_path: Path) -> None:
    with noop(algorithm) as signer:
        root = Authority(signer, "root")
        leaf = root.issue("leaf", root.key.public_key())
        builder = ocsp.OCSPResponseBuilder().add_response(
            leaf,
            root.certificate,
            hashes.SHA256(),
            ocsp.OCSPCertStatus.GOOD,
            this_update=NOW - HOUR,
            next_update=NOW + HOUR,
            revocation_time=None,
            revocation_reason=None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, root.certificate)
        answer = builder.sign(root.key, root.arguments[0])
    respin = tmp_path / "answer.der"
    respin.write_bytes(answer.public_bytes(Encoding.DER))
    certificates = written(tmp_path / "root.pem", root.certificate), written(tmp_path / "leaf.pem", leaf)
    question = "-issuer", certificates[0], "-sha256", "-cert", certificates[1], "-CAfile", certificates[0]
    said = openssl("ocsp", "-respin", respin, "-no_nonce", *question)
    assert "Response verify OK" in said
    assert "leaf.pem: good" in said


@pytest.mark.parametrize("algorithm", ML_DSA)
def test_cryptography_verifies_certificates_with_ml_dsa(algorithm: Algorithm) -> None:
    """As does an openssl of 3.5 or later."""
    with noop(algorithm) as signer, noop(Algorithm.ML_DSA_44) as other:
        root = Authority(signer, "root")
        leaf = root.issue("leaf", as_private_key(other).public_key())
    leaf.verify_directly_issued_by(root.certificate)


def test_the_builder_s_default_padding_is_refused_for_pss_and_the_right_one_told() -> None:
    with noop(Algorithm.RSA_PSS_SHA256) as signer:
        builder = x509.CertificateSigningRequestBuilder().subject_name(named("leaf"))
        key = as_private_key(signer)
        with pytest.raises(UnsupportedUseError, match=r"does not sign with padding.PKCS1v15\(\), .*; pass padding.PSS"):
            builder.sign(key, hashes.SHA256())
        longest = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH)
        with pytest.raises(UnsupportedUseError, match=r"pass padding.PSS\(.*, padding.PSS.DIGEST_LENGTH\), "):
            builder.sign(key, hashes.SHA256(), rsa_padding=longest)


def test_deterministic_ecdsa_is_refused() -> None:
    with noop(Algorithm.ECDSA_P256_SHA256) as signer:
        builder = x509.CertificateSigningRequestBuilder().subject_name(named("leaf"))
        with pytest.raises(UnsupportedUseError, match="deterministic_signing=True"):
            builder.sign(as_private_key(signer), hashes.SHA256(), ecdsa_deterministic=True)


class OnlyLeaves:
    """An extension that lets no certificate of an authority be signed."""

    @hookimpl
    def signer_before_sign(self, event: Any) -> None:
        if named("evil").public_bytes() in event.message:
            raise PolicyViolationError("this name is not signed for")


def test_a_veto_reaches_who_asked_for_the_certificate() -> None:
    with Signer(Ed25519Key(), extensions={"policy": OnlyLeaves()}) as signer:
        root = Authority(signer, "root")
        with pytest.raises(PolicyViolationError, match="this name is not signed for") as caught:
            root.issue("evil", root.key.public_key())
    assert caught.value.extension == "policy"
