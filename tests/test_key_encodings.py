"""One key has one encoding of each kind: what OpenSSL, OpenSSH and libp2p write, and nothing else."""

import base64
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signer_core import Algorithm, PublicKey
from signer_core.errors import KeyFormatError, UnsupportedAlgorithmError
from tests.strategies import private_key

#: What `openssl genpkey` is told for a key of each type.
GENPKEY = {
    Algorithm.ED25519: ["-algorithm", "ed25519"],
    Algorithm.ECDSA_P256_SHA256: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    Algorithm.ECDSA_P384_SHA384: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    Algorithm.ECDSA_P521_SHA512: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
    Algorithm.ECDSA_SECP256K1_SHA256: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"],
    Algorithm.RSA_PSS_SHA256: ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
}

#: https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md, "Test vectors"
LIBP2P = {
    Algorithm.ED25519: "080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e",
    Algorithm.ECDSA_P256_SHA256: (
        "0803125b3059301306072a8648ce3d020106082a8648ce3d03010703420004de3d300fa36ae0e8f5d530899d83abab44abf3161f162a4bc901"
        "d8e6ecda020e8b6d5f8da30525e71d6851510c098e5c47c646a597fb4dcec034e9f77c409e62"
    ),
    Algorithm.ECDSA_SECP256K1_SHA256: ("08021221037777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea0e630bfca99"),
}


def openssl(*arguments: str, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *arguments], input=given, check=True, capture_output=True, timeout=60).stdout


def public_der(*genpkey: str) -> bytes:
    return openssl("pkey", "-pubout", "-outform", "DER", given=openssl("genpkey", *genpkey))


def key_for(algorithm: Algorithm) -> PublicKey:
    return PublicKey.from_cryptography(private_key(algorithm).public_key(), algorithm=algorithm)


@pytest.mark.peer("openssl")
@pytest.mark.parametrize("algorithm", GENPKEY)
def test_pem_and_der_are_those_of_openssl(algorithm: Algorithm) -> None:
    der = public_der(*GENPKEY[algorithm])
    pem = openssl("pkey", "-pubin", "-inform", "DER", given=der)

    key = PublicKey.from_pem(pem)

    assert key.algorithm is algorithm
    assert (key.to_pem(), key.to_der()) == (pem, der)
    assert PublicKey.from_der(der) == key


@pytest.mark.peer("ssh-keygen")
@pytest.mark.parametrize(
    ("arguments", "algorithm"),
    [
        (["-t", "ed25519"], Algorithm.ED25519),
        (["-t", "ecdsa", "-b", "256"], Algorithm.ECDSA_P256_SHA256),
        (["-t", "ecdsa", "-b", "384"], Algorithm.ECDSA_P384_SHA384),
        (["-t", "ecdsa", "-b", "521"], Algorithm.ECDSA_P521_SHA512),
        (["-t", "rsa", "-b", "2048"], Algorithm.RSA_PSS_SHA256),
    ],
)
def test_openssh_is_that_of_ssh_keygen(arguments: list[str], algorithm: Algorithm, tmp_path: Path) -> None:
    private = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", *arguments, "-N", "", "-C", "a comment", "-f", private], check=True)
    line = (tmp_path / "key.pub").read_bytes()
    key = PublicKey.from_openssh(line)
    assert key.algorithm is algorithm
    assert key.to_openssh() == line.rsplit(b" ", 2)[0]


@pytest.mark.parametrize(
    "algorithm", [Algorithm.ECDSA_P256_SHA256, Algorithm.ECDSA_P384_SHA384, Algorithm.ECDSA_P521_SHA512]
)
@pytest.mark.parametrize("form", [0, 2, 3, 5, 6, 255])
def test_openssh_has_points_uncompressed(algorithm: Algorithm, form: int) -> None:
    key = key_for(algorithm)
    name, body = key.to_openssh().split()
    point = key.to_cryptography().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    other = base64.b64decode(body).replace(point, bytes((form,)) + point[1:])
    with pytest.raises(KeyFormatError, match="not an OpenSSH public key"):
        PublicKey.from_openssh(name + b" " + base64.b64encode(other))


@pytest.mark.peer("ssh-keygen")
def test_certificate_of_openssh_is_no_key(tmp_path: Path) -> None:
    for name in ("authority", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
    sign = ["ssh-keygen", "-q", "-s", str(tmp_path / "authority"), "-I", "somebody", str(tmp_path / "key.pub")]
    subprocess.run(sign, check=True)
    with pytest.raises(KeyFormatError, match="a certificate is no key"):
        PublicKey.from_openssh((tmp_path / "key-cert.pub").read_bytes())


@pytest.mark.parametrize(("algorithm", "encoded"), LIBP2P.items())
def test_libp2p_is_that_of_its_specification(algorithm: Algorithm, encoded: str) -> None:
    key = PublicKey.from_libp2p(bytes.fromhex(encoded))
    assert key.algorithm is algorithm
    assert key.to_libp2p().hex() == encoded


def test_libp2p_of_rsa_holds_the_der() -> None:
    key = key_for(Algorithm.RSA_PSS_SHA256)
    # 294 bytes, a length of two bytes
    assert key.to_libp2p() == bytes.fromhex("080012a602") + key.to_der()


ED25519 = bytes.fromhex(LIBP2P[Algorithm.ED25519])
P256 = bytes.fromhex(LIBP2P[Algorithm.ECDSA_P256_SHA256])
SECP256K1 = bytes.fromhex(LIBP2P[Algorithm.ECDSA_SECP256K1_SHA256])


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 35, 37, 132, 164, 164 + 128, 1_000_000])
def test_libp2p_of_another_size(size: int) -> None:
    with pytest.raises(KeyFormatError):
        PublicKey.from_libp2p((ED25519[:4] + b"\0" * size)[:size])


@pytest.mark.parametrize(
    "encoded",
    [
        ED25519 + b"\0",
        ED25519[2:] + ED25519[:2],  # the fields in the other order
        b"\x08\x81\x00" + ED25519[2:],  # the type in two bytes
        ED25519[:3] + b"\xa0\x00" + ED25519[4:],  # the length in two bytes
        b"\x08\x00" + ED25519[2:],
        b"\x08\x00" + P256[2:],  # the type of RSA
        b"\x08\x02" + ED25519[2:],
        b"\x08\x01" + SECP256K1[2:],
        b"\x08\x02\x12\x41" + key_for(Algorithm.ECDSA_SECP256K1_SHA256).to_der()[-65:],  # not compressed
        b"\x08\x03\x12\x21" + key_for(Algorithm.ECDSA_P256_SHA256).raw,
        b"\x08\x03\x12\x78" + key_for(Algorithm.ECDSA_P384_SHA384).to_der(),
        b"\x08\x01\x12" + b"\xff" * 20,  # a length without an end
    ],
    ids=range(12),
)
def test_libp2p_in_another_form(encoded: bytes) -> None:
    with pytest.raises(KeyFormatError):
        PublicKey.from_libp2p(encoded)


def test_libp2p_of_another_type_of_key() -> None:
    with pytest.raises(UnsupportedAlgorithmError, match="this libp2p public key serves none"):
        PublicKey.from_libp2p(b"\x08\x04" + ED25519[2:])


@pytest.mark.parametrize("algorithm", [each for each in GENPKEY if each.startswith("ecdsa")])
def test_raw_may_be_an_uncompressed_point(algorithm: Algorithm) -> None:
    key = key_for(algorithm)
    point = key.to_cryptography().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert PublicKey.from_raw(algorithm, point) == key
    assert len(key.raw) == len(point) // 2 + 1
    for bad in (
        point[:-1],
        point + b"\0",
        point[:-1] + bytes([point[-1] ^ 1]),  # not on the curve
        bytes([6 + point[-1] % 2]) + point[1:],  # the hybrid form
        b"\0",  # the point at infinity
        b"\2" + b"\xff" * (len(point) // 2),
        point[1:],
    ):
        with pytest.raises(KeyFormatError, match=f"this is not a raw {algorithm} key"):
            PublicKey.from_raw(algorithm, bad)


@pytest.mark.peer("openssl")
def test_der_in_another_form_of_the_same_key() -> None:
    rsa = openssl("genpkey", *GENPKEY[Algorithm.RSA_PSS_SHA256])
    ec_key = openssl("genpkey", *GENPKEY[Algorithm.ECDSA_P256_SHA256])
    for der in (
        public_der("-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"),
        openssl("rsa", "-RSAPublicKey_out", "-outform", "DER", given=rsa),
        openssl("ec", "-pubout", "-conv_form", "compressed", "-outform", "DER", given=ec_key),
        public_der(*GENPKEY[Algorithm.ECDSA_P256_SHA256], "-pkeyopt", "ec_param_enc:explicit"),
    ):
        with pytest.raises(KeyFormatError, match="has not the usual form; an EC key must name its curve"):
            PublicKey.from_der(der)
        pem = b"-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n" % base64.b64encode(der)
        with pytest.raises(KeyFormatError):
            PublicKey.from_pem(pem)


@pytest.mark.parametrize("algorithm", GENPKEY)
def test_der_with_something_added_or_in_ber(algorithm: Algorithm) -> None:
    der = key_for(algorithm).to_der()
    long_form = der[:1] + b"\x81" + der[1:] if der[1] < 0x80 else der[:1] + b"\x83\x00" + der[2:]
    for bad in (der + b"\0", der + der, long_form, der[:1] + b"\x80" + der[2:] + b"\0\0"):
        with pytest.raises(KeyFormatError):
            PublicKey.from_der(bad)


def test_pem_among_other_things() -> None:
    key = key_for(Algorithm.ECDSA_P256_SHA256)
    assert PublicKey.from_pem(b"the release key\n" + key.to_pem() + b"\n") == key
    assert PublicKey.from_pem(key.to_pem().replace(b"\n", b"\r\n")) == key


def test_certificate_is_no_public_key() -> None:
    pem = key_for(Algorithm.ECDSA_P256_SHA256).to_pem().replace(b"PUBLIC KEY", b"CERTIFICATE")
    with pytest.raises(KeyFormatError, match="this is not a PEM public key"):
        PublicKey.from_pem(pem)


def rsa_key(n: int, e: int) -> Any:
    return RSAPublicNumbers(e, n).public_key()


@pytest.mark.parametrize("bits", [512, 1024, 2047, 16385])
def test_rsa_key_that_is_too_short_or_too_long(bits: int) -> None:
    key = rsa_key(2 ** (bits - 1) + 1, 65537)
    message = f"this is an RSA key of {bits} bits; use one of 2048 to 16384 bits"
    with pytest.raises(UnsupportedAlgorithmError, match=message):
        PublicKey.from_cryptography(key)
    with pytest.raises(UnsupportedAlgorithmError, match=message):
        PublicKey.from_der(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


@pytest.mark.parametrize(("n", "e"), [(2**2047 + 2, 65537), (2**2047 + 1, 2**64 + 1), (2**4095 + 1, 2**4000 + 1)])
def test_rsa_key_that_is_none(n: int, e: int) -> None:
    with pytest.raises(KeyFormatError, match="this is no RSA key"):
        PublicKey.from_cryptography(rsa_key(n, e))


@pytest.mark.parametrize("bits", [2048, 3072, 4096, 16384])
def test_rsa_key_of_any_usual_size(bits: int) -> None:
    key = PublicKey.from_cryptography(rsa_key(2 ** (bits - 1) + 1, 3))
    assert PublicKey.from_der(key.to_der()) == key


@pytest.mark.parametrize("curve", [ec.SECP224R1(), ec.BrainpoolP256R1()])
def test_curve_of_no_algorithm(curve: ec.EllipticCurve) -> None:
    pem = ec.generate_private_key(curve).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(UnsupportedAlgorithmError, match="serves none of the supported algorithms"):
        PublicKey.from_pem(pem)


def test_der_of_a_kind_that_cryptography_does_not_have() -> None:
    unknown = key_for(Algorithm.ED25519).to_der().replace(bytes.fromhex("06032b6570"), bytes.fromhex("06032b657f"))
    with pytest.raises(UnsupportedAlgorithmError, match="that the installed cryptography does not have"):
        PublicKey.from_der(unknown)
