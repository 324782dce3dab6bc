"""Requests for authentication: nothing else may look like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_core import Algorithm
from signer_ssh.authentication import SESSION_ID_SIZES, AuthenticationRequest
from signer_ssh.errors import MalformedError
from signer_ssh.wire import boolean, string, text
from tests.plugins.ssh.keys import authentication
from tests.strategies import mutated

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
requests = st.builds(
    AuthenticationRequest,
    session_id=st.sampled_from(sorted(SESSION_ID_SIZES)).flatmap(lambda size: st.binary(min_size=size, max_size=size)),
    user=names,
    algorithm=names,
    key=st.binary(max_size=80),
    host_key=st.none() | st.binary(max_size=80),
)


@given(requests)
def test_what_is_written_is_read(request: AuthenticationRequest) -> None:
    assert AuthenticationRequest.decode(request.encoded()) == request


@given(st.data())
def test_what_is_read_is_as_it_would_be_written_or_malformed(data: st.DataObject) -> None:
    encoded = data.draw(mutated(data.draw(requests).encoded()) | st.binary(max_size=200))
    try:
        read = AuthenticationRequest.decode(encoded)
    except MalformedError:
        return
    assert read.encoded() == encoded


def replaced(old: bytes, new: bytes) -> bytes:
    whole = authentication(Algorithm.ED25519)
    assert whole.count(old) == 1
    return whole.replace(old, new)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a block",
        authentication() + b"\0",
        authentication()[:-1],
        authentication(session_id=b"too short"),
        authentication(session_id=bytes(33)),
        replaced(b"\x32" + text("root"), b"\x33" + text("root")),
        replaced(text("root"), string(b"")),
        replaced(text("ssh-connection"), text("ssh-userauth")),
        replaced(text("publickey"), text("password")),
        replaced(text("publickey") + boolean(True), text("publickey") + boolean(False)),
        replaced(text("publickey"), text("publickey-hostbound-v00@openssh.com")),
        authentication(host_key=b"host").replace(text("publickey-hostbound-v00@openssh.com"), text("publickey")),
    ],
)
def test_what_is_no_request_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        AuthenticationRequest.decode(data)
