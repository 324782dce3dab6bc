"""What only the backend noop does."""

import logging
import pickle

import pytest

from signer_core import Algorithm, Signer, create_signer, init_signer
from signer_core.errors import ConfigError, KeyMismatchError
from signer_core.plugins import load_backend
from signer_core.testing.secrecy import told
from signer_noop import NoopConfig, NoopKey

# RFC 8032, section 7.1, test 2
SEED = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
PUBLIC_KEY = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
SIGNATURE = (
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def opened(**options: str) -> Signer:
    return create_signer({"backend": "noop", **options})


def test_seed_is_the_private_key_of_rfc_8032() -> None:
    with opened(seed=SEED) as signer:
        assert signer.public_key.raw.hex() == PUBLIC_KEY
        assert signer.sign(b"\x72").hex() == SIGNATURE


def test_seed_in_upper_case_is_the_same_key() -> None:
    assert opened(seed=SEED.upper()).public_key == opened(seed=SEED).public_key


def test_each_signer_without_seed_has_a_key_of_its_own() -> None:
    assert opened().public_key != opened().public_key


def test_key_id_is_the_public_key() -> None:
    assert opened(seed=SEED).key_id == f"noop:{PUBLIC_KEY}"


@pytest.mark.parametrize("algorithm", Algorithm)
def test_every_algorithm(algorithm: Algorithm) -> None:
    with opened(algorithm=algorithm) as signer, opened(algorithm=algorithm) as other:
        assert signer.algorithm is algorithm
        signer.public_key.verify(signer.sign(b"message"), b"message")
        assert (signer.public_key, signer.key_id) != (other.public_key, other.key_id)
        assert len(signer.key_id) == len("noop:") + 64


#: RFC 6979, appendices A.2.5 and A.2.7: private numbers, and the x of their points
ECDSA_KEYS = {
    "ecdsa-p256-sha256": (
        "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
        "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6",
    ),
    "ecdsa-p521-sha512": (
        (
            "00FAD06DAA62BA3B25D2FB40133DA757205DE67F5BB0018FEE8C86E1B68C7E75"
            "CAA896EB32F1F47C70855836A6D16FCC1466F6D8FBEC67DB89EC0C08B0E996B83538"
        ),
        (
            "01894550D0785932E00EAA23B694F213F8C3121F86DC97A04E5A7167DB4E5BCD"
            "371123D46E45DB6B5D5370A7F20FB633155D38FFA16D2BD761DCAC474B9A2F5023A4"
        ),
    ),
}


@pytest.mark.parametrize(("algorithm", "key"), ECDSA_KEYS.items())
def test_seed_of_an_ec_key_is_the_private_number_of_rfc_6979(algorithm: str, key: tuple[str, str]) -> None:
    private, x = key
    assert opened(algorithm=algorithm, seed=private).public_key.raw[1:].hex().upper() == x


#: Wycheproof, mldsa_44_sign_seed_test.json and its sisters: SHA-256 of the public keys of the seed 2a2a…2a
ML_DSA_ADDRESSES = {
    "ml-dsa-44": "d87f8ca136ac1aa55e2d6c4521680efb3a378cbb9bc0bfb446e9c60893931ea3",
    "ml-dsa-65": "b7acce2ddb11f8cc1aa46e2bafac6eacfa2b732ef192bd636ad8d3a56d649c66",
    "ml-dsa-87": "d43128fa8a8c785c1d44c9e7db538dbf9dd88fe6c8ad911a344bcec1017c6d54",
}


@pytest.mark.parametrize(("algorithm", "address"), ML_DSA_ADDRESSES.items())
def test_seed_of_an_ml_dsa_key_is_that_of_fips_204(algorithm: str, address: str) -> None:
    assert opened(algorithm=algorithm, seed="2a" * 32).address.hex() == address


@pytest.mark.parametrize(
    ("algorithm", "size"),
    [("ecdsa-p256-sha256", 32), ("ecdsa-p384-sha384", 48), ("ecdsa-p521-sha512", 66), ("ml-dsa-87", 32)],
)
def test_seed_is_as_long_as_the_private_key(algorithm: str, size: int) -> None:
    assert (
        opened(algorithm=algorithm, seed="01" * size).public_key
        == opened(algorithm=algorithm, seed="01" * size).public_key
    )
    for wrong in (size - 1, size + 1):
        with pytest.raises(ConfigError, match=f"the seed of a key for {algorithm} has {size} bytes in hex"):
            opened(algorithm=algorithm, seed="01" * wrong)


@pytest.mark.parametrize("seed", ["00" * 32, "ff" * 32])
def test_seed_that_is_no_private_number_is_refused_and_not_repeated(seed: str) -> None:
    with pytest.raises(ConfigError, match="is no private key for ecdsa-p256-sha256; write a number above 0") as caught:
        opened(algorithm="ecdsa-p256-sha256", seed=seed)
    assert seed not in told(caught.value)


def test_rsa_key_is_not_made_out_of_a_seed() -> None:
    with pytest.raises(ConfigError, match="a key for rsa-pss-sha256 is always a fresh one: leave out 'seed'"):
        opened(algorithm="rsa-pss-sha256", seed=SEED)


def test_algorithm_that_there_is_not() -> None:
    with pytest.raises(ConfigError, match=r"option 'algorithm'.*write one of: ed25519, ecdsa-p256-sha256, "):
        opened(algorithm="rot13")


@pytest.mark.parametrize(
    "seed",
    ["", SEED[:-1], "0x" + SEED[2:], SEED[:-1] + "g", SEED + "\n", "４" * 64],
    ids=["empty", "odd", "prefix", "not-hex", "newline", "wide-digits"],
)
def test_seed_that_is_not_bytes_in_hex_is_refused_and_not_repeated(seed: str) -> None:
    with pytest.raises(ConfigError, match=r"option 'seed'.*the private key in hex, 32 bytes for Ed25519") as caught:
        opened(seed=seed)
    assert not seed or seed not in told(caught.value)


@pytest.mark.parametrize("seed", [SEED[:-2], SEED + "00"])
def test_seed_of_another_size_is_refused_and_not_repeated(seed: str) -> None:
    with pytest.raises(ConfigError, match="the seed of a key for ed25519 has 32 bytes in hex") as caught:
        opened(seed=seed)
    assert seed not in told(caught.value)


@pytest.mark.parametrize("seed", [7, b"\x00" * 32, ["a"], True])
def test_seed_that_is_no_text_is_refused(seed: object) -> None:
    with pytest.raises(ConfigError, match="option 'seed'"):
        create_signer({"backend": "noop", "seed": seed})


def test_opening_warns_once_that_it_protects_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with opened(seed=SEED) as signer:
        signer.sign(b"message")
        signer.sign(b"message")
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("signer_noop", logging.WARNING)
    assert "protects nothing" in record.getMessage()


def test_repr_hides_the_seed() -> None:
    assert SEED not in repr(NoopConfig(seed=SEED))


def test_signer_with_seed_pickles() -> None:
    signer = opened(seed=SEED)
    assert pickle.loads(pickle.dumps(signer)).public_key == signer.public_key


def test_signer_without_seed_refuses_to_pickle() -> None:
    with pytest.raises(TypeError, match="'noop' would open another key"):
        pickle.dumps(opened())


def test_init_opens_a_key_as_create_does() -> None:
    assert init_signer({"backend": "noop", "seed": SEED}).public_key == opened(seed=SEED).public_key


def test_pin_of_another_key_is_refused() -> None:
    with pytest.raises(KeyMismatchError):
        opened(seed=SEED, expected_public_key="00" * 32)


def test_passphrase_is_refused() -> None:
    with pytest.raises(ConfigError, match="'noop' has no option 'passphrase'"):
        opened(passphrase="env:HOME")


def test_config_class_is_usable_without_the_core() -> None:
    assert NoopConfig().seed is None
    with pytest.raises(ValueError, match="bytes in hex"):
        NoopConfig(seed="secret")


def test_key_says_whether_it_reopens() -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private_key = Ed25519PrivateKey.generate()
    assert [NoopKey(private_key, reopens=answer).reopens for answer in (True, False)] == [True, False]


def test_backend_is_local_and_makes_no_keys() -> None:
    plugin = load_backend("noop")
    assert (plugin.backend.remote, plugin.makes_keys) == (False, False)
