"""What only the backend noop does."""

import logging
import pickle

import pytest

from signer_core import Signer, create_signer, init_signer
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


@pytest.mark.parametrize(
    "seed",
    ["", SEED[:-1], SEED[:-2], SEED + "00", "0x" + SEED[2:], SEED[:-1] + "g", SEED + "\n", "４" * 64],
    ids=["empty", "odd", "short", "long", "prefix", "not-hex", "newline", "wide-digits"],
)
def test_seed_that_is_not_32_bytes_in_hex_is_refused_and_not_repeated(seed: str) -> None:
    with pytest.raises(ConfigError, match=r"option 'seed'.*32 bytes in hex") as caught:
        opened(seed=seed)
    assert not seed or seed not in told(caught.value)


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
    with pytest.raises(ValueError, match="32 bytes in hex"):
        NoopConfig(seed="secret")


def test_key_says_whether_it_reopens() -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private_key = Ed25519PrivateKey.generate()
    assert [NoopKey(private_key, reopens=answer).reopens for answer in (True, False)] == [True, False]


def test_backend_is_local_and_makes_no_keys() -> None:
    plugin = load_backend("noop")
    assert (plugin.backend.remote, plugin.makes_keys) == (False, False)
