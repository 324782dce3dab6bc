"""What a key of a plugin must be before it is used."""

import pytest

from signer_core import PublicKey, SigningKey
from signer_core.errors import (
    KeyFormatError,
    PluginContractError,
)
from signer_core.key_contract import check_key, close_unwanted, describe
from tests.keys import Ed25519Key


def test_close_unwanted_logs_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    class Stuck(Ed25519Key):
        def close(self) -> None:
            raise OSError("hunter2")

    close_unwanted(Stuck())
    assert [each.getMessage() for each in caplog.records] == [f"{describe(Stuck())} failed to close: OSError"]


def test_check_key_takes_a_key_as_it_should_be() -> None:
    key = Ed25519Key()
    assert check_key(key) is key


@pytest.mark.parametrize("key", [None, object(), "key", Ed25519Key])
def test_check_key_wants_a_signing_key(key: object) -> None:
    with pytest.raises(PluginContractError, match="a SigningKey was expected, not"):
        check_key(key)


def having(name: str, value: object) -> SigningKey:
    return type("Odd", (Ed25519Key,), {name: property(lambda _: value)})()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("key_id", each) for each in ("", None, 5, b"id")),
        *(("public_key", each) for each in (None, "key", b"\0" * 32)),
        *(("max_message_bytes", each) for each in (0, -1, 1.5, "4096", True, float("nan"))),
        *(("concurrency", each) for each in (0, -1, 1.5, "64", True, float("inf"))),
        *(("renew_after", each) for each in (0, -1, float("nan"), "10s", True)),
    ],
)
def test_check_key_refuses_a_property_that_is_not_right(name: str, value: object) -> None:
    with pytest.raises(PluginContractError, match=f"Odd.{name} is .*, and must be"):
        check_key(having(name, value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("max_message_bytes", each) for each in (None, 1, 4096)),
        *(("concurrency", each) for each in (None, 1, 64)),
        *(("renew_after", each) for each in (None, 0.5, 300, float("inf"))),
    ],
)
def test_check_key_takes_what_is_right(name: str, value: object) -> None:
    check_key(having(name, value))


def test_check_key_maps_what_a_property_raises() -> None:
    class Broken(Ed25519Key):
        @property
        def key_id(self) -> str:
            raise LookupError("hunter2")

    with pytest.raises(PluginContractError, match=r"Broken\.key_id raised LookupError"):
        check_key(Broken())


def test_check_key_lets_the_library_s_errors_through() -> None:
    class Damaged(Ed25519Key):
        @property
        def public_key(self) -> PublicKey:
            raise KeyFormatError("damaged")

    with pytest.raises(KeyFormatError, match="damaged"):
        check_key(Damaged())
