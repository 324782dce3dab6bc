import subprocess
import sys
from typing import Any

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import mldsa

from signer_core import Algorithm, PublicKey
from signer_core.algorithms import FACTS, key_types
from signer_core.errors import UnsupportedAlgorithmError
from tests.strategies import private_key

#: The names of the algorithms, and whether signing twice gives the same signature.
NAMES = {
    "ed25519": True,
    "ecdsa-p256-sha256": False,
    "ecdsa-p384-sha384": False,
    "ecdsa-p521-sha512": False,
    "ecdsa-secp256k1-sha256": False,
    "rsa-pss-sha256": False,
    "rsa-pss-sha384": False,
    "rsa-pss-sha512": False,
    "rsa-pkcs1v15-sha256": True,
    "rsa-pkcs1v15-sha384": True,
    "rsa-pkcs1v15-sha512": True,
    "ml-dsa-44": False,
    "ml-dsa-65": False,
    "ml-dsa-87": False,
}


def test_each_algorithm_has_its_facts_and_no_other_has() -> None:
    assert list(FACTS) == list(Algorithm)


def test_algorithm_is_its_name() -> None:
    assert [str(each) for each in Algorithm] == list(NAMES)
    assert Algorithm("ed25519") is Algorithm.ED25519


@pytest.mark.parametrize(("name", "deterministic"), NAMES.items())
def test_deterministic_algorithms(name: str, deterministic: bool) -> None:
    algorithm = Algorithm(name)
    assert FACTS[algorithm].deterministic is deterministic
    sign = FACTS[algorithm].scheme.signer(private_key(algorithm))
    assert (sign(b"message") == sign(b"message")) is deterministic


@pytest.mark.parametrize("algorithm", Algorithm)
def test_hash_is_the_one_in_the_name(algorithm: Algorithm) -> None:
    name = algorithm.rpartition("-")[2]
    assert FACTS[algorithm].scheme.hash_name == (name if name.startswith("sha") else None)


@pytest.mark.parametrize(("algorithm", "facts"), FACTS.items())
def test_size_of_a_signature_is_the_one_that_is_told(algorithm: Algorithm, facts: Any) -> None:
    signature = facts.scheme.signer(private_key(algorithm))(b"message")
    told, _, _ = facts.signature.partition(" bytes")
    if told.isdigit():
        assert len(signature) == int(told)
    elif facts.signature.startswith("as long as the modulus"):
        assert len(signature) * 8 == private_key(algorithm).key_size
    else:
        assert facts.signature.startswith("DER")
        assert signature[0] == 0x30


@pytest.mark.parametrize("key_type", [*key_types()], ids=lambda key_type: key_type.name)
def test_generated_keys_are_of_their_type_and_new(key_type: Any) -> None:
    first, second = (key_type.generate(rsa_bits=2048) for _ in range(2))
    assert key_type.owns(first.public_key())
    assert PublicKey.from_cryptography(first.public_key()) != PublicKey.from_cryptography(second.public_key())


@pytest.mark.parametrize("bits", [2048, 3072])
def test_generated_rsa_keys_are_as_long_as_asked_for(bits: int) -> None:
    key = FACTS[Algorithm.RSA_PSS_SHA256].key_type.generate(rsa_bits=bits)
    assert (key.key_size, key.public_key().public_numbers().e) == (bits, 65537)


@pytest.mark.parametrize("key_type", [each for each in key_types() if each.private_size], ids=lambda each: each.name)
def test_raw_private_form_leads_back_to_the_key(key_type: Any) -> None:
    key = key_type.generate(rsa_bits=2048)
    raw = key_type.to_private_bytes(key)
    assert len(raw) == key_type.private_size
    again = key_type.from_private_bytes(raw)
    assert PublicKey.from_cryptography(again.public_key()) == PublicKey.from_cryptography(key.public_key())
    for bad in (raw[:-1], raw + b"\0", b""):
        with pytest.raises(ValueError):
            key_type.from_private_bytes(bad)


@pytest.mark.parametrize("key_type", [each for each in key_types() if "EC" in each.name], ids=lambda each: each.name)
def test_private_number_must_be_above_0_and_below_the_order(key_type: Any) -> None:
    for bad in (b"\0" * key_type.private_size, b"\xff" * key_type.private_size):
        with pytest.raises(ValueError):
            key_type.from_private_bytes(bad)


def test_rsa_has_no_raw_private_form() -> None:
    key_type = FACTS[Algorithm.RSA_PSS_SHA256].key_type
    for call in (key_type.to_private_bytes, key_type.from_private_bytes):
        with pytest.raises(UnsupportedAlgorithmError, match="an RSA key has no raw private form; use PKCS#8"):
            call(b"")


def test_cryptography_without_ml_dsa(monkeypatch: pytest.MonkeyPatch) -> None:
    # It is there in every wheel, so a real one without it cannot be had here.
    def absent(*_: object) -> None:
        raise UnsupportedAlgorithm("ML-DSA is not supported by this version of OpenSSL")

    key_type = FACTS[Algorithm.ML_DSA_65].key_type
    for half, method in (("Public", "from_public_bytes"), ("Private", "from_seed_bytes"), ("Private", "generate")):
        monkeypatch.setattr(getattr(mldsa, f"MLDSA65{half}Key"), method, absent)
    for call in (
        lambda: PublicKey.from_raw(Algorithm.ML_DSA_65, bytes(1952)),
        lambda: key_type.from_private_bytes(bytes(32)),
        lambda: key_type.generate(rsa_bits=2048),
    ):
        with pytest.raises(UnsupportedAlgorithmError, match="no ML-DSA; install its wheel"):
            call()


@pytest.mark.parametrize(
    ("algorithm", "unneeded"),
    [
        ("ed25519", {"ec", "rsa", "padding", "mldsa"}),
        ("ecdsa-p256-sha256", {"mldsa"}),  # cryptography brings its RSA with any EC key
        ("rsa-pss-sha256", {"mldsa"}),
    ],
)
def test_a_key_does_not_bring_what_other_keys_need(algorithm: str, unneeded: set[str]) -> None:
    program = (
        "import sys; from signer_core.public_key import PublicKey; from signer_core.algorithms import FACTS\n"
        f"facts = FACTS[{algorithm!r}]; key = facts.key_type.generate(rsa_bits=2048)\n"
        f"PublicKey.from_cryptography(key.public_key(), algorithm={algorithm!r}).verify(\n"
        "    facts.scheme.signer(key)(b'message'), b'message')\n"
        "print(*(name.rpartition('.')[2] for name in sys.modules if '.asymmetric.' in name))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert set(done.stdout.split()) & unneeded == set()
