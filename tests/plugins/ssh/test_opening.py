"""Which signers of a configuration are opened."""

import logging
from pathlib import Path

import pytest

from signer_core import Algorithm, Signer
from signer_core.config import read_all
from signer_core.errors import ConfigError, KeyNotFoundError, UnsupportedAlgorithmError
from signer_core.factory import open_signer
from signer_core.settings import Settings
from signer_ssh.opening import named, opened, opened_for
from tests.plugins.ssh.keys import public_key, write_key

MINE = public_key(number=2)
SECP = Algorithm.ECDSA_SECP256K1_SHA256


@pytest.fixture
def config(tmp_path: Path) -> "Configuration":
    return Configuration(tmp_path)


class Configuration:
    """A configuration file that grows."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.path = place / "signer.toml"
        self.path.touch()

    def add(self, name: str, algorithm: Algorithm = Algorithm.ED25519, *, number: int = 1, more: str = "") -> None:
        table = write_key(self.place, algorithm, number=number)
        with self.path.open("a") as file:
            file.write(f"[signers.{name}]\n{table}{more}\n")

    def add_broken(self, name: str, more: str = "") -> None:
        """One whose key cannot be opened."""
        with self.path.open("a") as file:
            file.write(f'[signers.{name}]\nbackend = "file"\npath = "missing.pem"\n{more}\n')

    @property
    def settings(self) -> list[Settings]:
        return read_all(self.path)


def pin(number: int) -> str:
    return f'expected_public_key = "{public_key(number=number).raw.hex()}"'


def test_named_ones_are_those_and_in_that_order(config: Configuration) -> None:
    for name in ("a", "b", "c"):
        config.add(name)
    assert [each.name for each in named(config.settings, ["c", "a", "c"])] == ["c", "a"]
    with pytest.raises(ConfigError, match=r"no table \[signers\.d\]; its signers are: a, b, c"):
        named(config.settings, ["a", "d"])


def test_without_tables_there_are_no_names(tmp_path: Path) -> None:
    path = tmp_path / "signer.toml"
    path.write_text('[signer]\nbackend = "noop"')
    with pytest.raises(ConfigError, match=r"^the configuration has no table \[signers\.d\]$"):
        named(read_all(path), ["d"])


def test_one_that_ssh_does_not_have_is_left_out_with_a_warning(
    config: Configuration, caplog: pytest.LogCaptureFixture
) -> None:
    config.add("a", SECP)
    config.add("b")
    signers = list(opened(config.settings, all_of_them=False))
    assert [each.name for each in signers] == ["b"]
    signers[0].close()
    (record,) = [each for each in caplog.records if each.name == "signer_ssh"]
    assert record.levelno == logging.WARNING
    assert "[signers.a]: SSH has no signatures with ecdsa-secp256k1-sha256" in record.getMessage()


@pytest.mark.parametrize(("others", "all_of_them"), [([], False), ([SECP], False), ([Algorithm.ED25519], True)])
def test_one_that_ssh_does_not_have_is_an_error_where_it_is_wanted(
    others: list[Algorithm], *, all_of_them: bool, config: Configuration
) -> None:
    for number, algorithm in enumerate([*others, Algorithm.RSA_PSS_SHA256]):
        config.add(f"s{number}", algorithm)
    with pytest.raises(UnsupportedAlgorithmError, match='set algorithm = "rsa-pkcs1v15-sha512"'):
        for each in opened(config.settings, all_of_them=all_of_them):
            each.close()


def test_the_one_with_the_public_key_is_found(config: Configuration) -> None:
    config.add("a")
    config.add("b", number=2)
    with opened_for(MINE, config.settings, source="mine.pub") as signer:
        assert (signer.name, signer.public_key) == ("b", MINE)


def test_those_before_it_may_be_broken(config: Configuration) -> None:
    config.add_broken("a")
    config.add("b", number=2)
    with opened_for(MINE, config.settings, source="mine.pub") as signer:
        assert signer.name == "b"


def test_one_that_is_pinned_to_it_is_opened_first_and_one_pinned_to_another_not_at_all(
    config: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.add("a", number=1)
    config.add_broken("b", pin(1))
    config.add("c", number=2, more=pin(2))
    asked: list[str | None] = []

    def recorded(settings: Settings) -> Signer:
        asked.append(settings.name)
        return open_signer(settings)

    monkeypatch.setattr("signer_ssh.opening.open_signer", recorded)
    with opened_for(MINE, config.settings, source="mine.pub") as signer:
        assert signer.name == "c"
    assert asked == ["c"]


def test_what_is_wrong_with_the_pinned_one_is_the_error(config: Configuration) -> None:
    config.add("a")
    config.add_broken("b", pin(2))
    with pytest.raises(KeyNotFoundError, match="missing"):
        opened_for(MINE, config.settings, source="mine.pub")


def test_what_is_wrong_with_the_only_one_is_the_error(config: Configuration) -> None:
    config.add_broken("a")
    with pytest.raises(KeyNotFoundError, match="missing"):
        opened_for(MINE, config.settings, source="mine.pub")


def test_where_none_has_it_the_error_says_what_is_wrong_with_the_others(config: Configuration) -> None:
    config.add("a")
    config.add_broken("b")
    with pytest.raises(
        KeyNotFoundError, match=r"no signer .* public key in mine\.pub — .*\[signers\.b\] cannot be used"
    ):
        opened_for(MINE, config.settings, source="mine.pub")


def test_an_rsa_key_is_used_with_the_algorithm_that_ssh_has(config: Configuration) -> None:
    """The file with the public key does not say which of its algorithms is meant; an address is no RSA key's."""
    wanted = public_key(Algorithm.RSA_PSS_SHA256)
    config.add("pss", Algorithm.RSA_PSS_SHA256)
    config.add("address", more=f'expected_address = "{MINE.address.hex()}"')
    config.add("ssh", Algorithm.RSA_PKCS1V15_SHA512)
    with opened_for(wanted, config.settings, source="mine.pub") as signer:
        assert signer.algorithm == Algorithm.RSA_PKCS1V15_SHA512


def test_an_rsa_key_for_another_algorithm_is_an_error_that_tells_the_right_one(config: Configuration) -> None:
    config.add("pss", Algorithm.RSA_PSS_SHA256)
    with pytest.raises(UnsupportedAlgorithmError, match='set algorithm = "rsa-pkcs1v15-sha512"'):
        opened_for(public_key(Algorithm.RSA_PSS_SHA256), config.settings, source="mine.pub")
