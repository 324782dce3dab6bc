"""The data types of SSH."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_ssh.errors import MalformedError
from signer_ssh.wire import Reader, boolean, mpint, string, text, uint32

#: What is read, and how it is written.
WRITERS: dict[str, Callable[[Any], bytes]] = {
    "byte": lambda number: bytes([number]),
    "boolean": boolean,
    "uint32": uint32,
    "string": string,
    "text": text,
    "mpint": mpint,
}


@pytest.mark.parametrize(
    ("number", "encoded"),
    [(0, "00000000"), (0x9A378F9B2E332A7, "0000000809a378f9b2e332a7"), (0x80, "000000020080")],
)
def test_numbers_are_those_of_rfc_4251(number: int, encoded: str) -> None:
    """Its section 5."""
    assert mpint(number) == bytes.fromhex(encoded)


@given(st.integers(0, 2**32 - 1), st.booleans(), st.binary(max_size=50), st.integers(0, 2**600), st.text(min_size=1))
def test_what_is_written_is_read(number: int, truth: bool, content: bytes, large: int, name: str) -> None:
    name = name.replace("\0", "-").encode("utf-8", "replace").decode()
    reader = Reader(uint32(number) + boolean(truth) + string(content) + mpint(large) + text(name))
    assert (reader.uint32(), reader.boolean(), reader.string(), reader.mpint(), reader.text()) == (
        number,
        truth,
        content,
        large,
        name,
    )
    reader.end()


@given(st.sampled_from(sorted(WRITERS)), st.binary(max_size=12))
def test_what_is_read_is_as_it_would_be_written_or_malformed(kind: str, content: bytes) -> None:
    reader = Reader(content)
    try:
        value = getattr(reader, kind)()
        reader.end()
    except MalformedError:
        return
    assert WRITERS[kind](value) == content


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("byte", b""),
        ("uint32", b"\0\0\0"),
        ("string", b"\0\0\0\5four"),
        ("string", b"\xff\xff\xff\xff"),
        ("boolean", b"\2"),
        ("text", string(b"")),
        ("text", string(b"\xff")),
        ("text", string(b"git\0")),
        ("mpint", string(b"\0")),
        ("mpint", string(b"\0\1")),
        ("mpint", string(b"\x80")),
    ],
)
def test_what_is_not_as_it_would_be_written_is_malformed(kind: str, content: bytes) -> None:
    with pytest.raises(MalformedError):
        getattr(Reader(content), kind)()


def test_something_may_not_follow_the_end() -> None:
    with pytest.raises(MalformedError, match="follows"):
        Reader(b"\0").end()
