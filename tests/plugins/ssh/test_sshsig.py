"""What is signed for a file, and how the signature is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_ssh.authentication import AuthenticationRequest
from signer_ssh.errors import MalformedError
from signer_ssh.sshsig import HASHES, SignedData
from signer_ssh.wire import string, text
from tests.plugins.ssh.keys import authentication
from tests.plugins.ssh.test_authentication import names, requests
from tests.strategies import mutated


@st.composite
def signed_data(draw: st.DrawFn) -> SignedData:
    hash_name, size = draw(st.sampled_from(sorted(HASHES.items())))
    return SignedData(draw(names), hash_name, draw(st.binary(min_size=size, max_size=size)))


@given(signed_data())
def test_what_is_written_is_read(data: SignedData) -> None:
    assert SignedData.decode(data.encoded()) == data


@given(st.data())
def test_what_is_read_is_as_it_would_be_written_or_malformed(data: st.DataObject) -> None:
    encoded = data.draw(mutated(data.draw(signed_data()).encoded()) | st.binary(max_size=200))
    try:
        read = SignedData.decode(encoded)
    except MalformedError:
        return
    assert read.encoded() == encoded


@given(signed_data(), requests)
def test_a_file_is_no_login_and_a_login_is_no_file(data: SignedData, login: AuthenticationRequest) -> None:
    with pytest.raises(MalformedError):
        AuthenticationRequest.decode(data.encoded())
    with pytest.raises(MalformedError):
        SignedData.decode(login.encoded())


@pytest.mark.parametrize(
    "data",
    [
        b"SSHSIG",
        authentication(),
        SignedData("git", "sha512", bytes(64)).encoded() + b"\0",
        SignedData("git", "sha512", bytes(32)).encoded(),
        SignedData("git", "sha1", bytes(20)).encoded(),
        b"SSHSIG" + string(b"") + string(b"") + text("sha512") + string(bytes(64)),
        b"SSHSIG" + text("git") + string(b"reserved") + text("sha512") + string(bytes(64)),
    ],
)
def test_what_is_no_signed_data_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        SignedData.decode(data)
