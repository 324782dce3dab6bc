"""Requests for authentication: nothing else may look like one."""

import base64

import pytest
from cryptography.hazmat.primitives.serialization import SSHCertificateBuilder, SSHCertificateType
from hypothesis import given
from hypothesis import strategies as st

from signer_core import Algorithm
from signer_ssh.authentication import SESSION_ID_SIZES, AuthenticationRequest
from signer_ssh.errors import MalformedError
from signer_ssh.keys import NAMES, encode_key
from signer_ssh.wire import boolean, string, text
from tests.plugins.ssh.keys import authentication, public_key
from tests.strategies import mutated, private_key

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
host_keys = st.sampled_from([encode_key(public_key(each)) for each in NAMES])
requests = st.builds(
    AuthenticationRequest,
    session_id=st.sampled_from(sorted(SESSION_ID_SIZES)).flatmap(lambda size: st.binary(min_size=size, max_size=size)),
    user=st.text(st.characters(codec="utf-8", categories=["L", "M", "N", "P", "S"]), min_size=1, max_size=20),
    algorithm=names,
    key=st.binary(max_size=80),
    host_key=st.none() | host_keys,
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


HOST_KEY = encode_key(public_key(number=2))


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
        authentication(host_key=HOST_KEY).replace(text("publickey-hostbound-v00@openssh.com"), text("publickey")),
        authentication(host_key=b""),
        authentication(host_key=b"a block"),
        authentication(host_key=text("ssh-ed25519") + b"a block"),
        authentication(host_key=HOST_KEY + b"a block"),
        replaced(text("root"), text("a block\n")),
        replaced(text("root"), text("r" * 1025)),
    ],
)
def test_what_is_no_request_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        AuthenticationRequest.decode(data)


def certificate() -> bytes:
    """Of a host's key."""
    builder = SSHCertificateBuilder().public_key(public_key().to_cryptography()).serial(1).type(SSHCertificateType.HOST)
    builder = builder.key_id(b"host").valid_principals([b"host"]).valid_after(0).valid_before(2**32)
    return base64.b64decode(builder.sign(private_key(Algorithm.ED25519, 3)).public_bytes().split()[1])


@pytest.mark.parametrize(
    "host_key", [text("sk-ssh-ed25519@openssh.com") + string(public_key().raw) + text("ssh:"), certificate()]
)
def test_hosts_have_keys_on_tokens_and_certificates_too(host_key: bytes) -> None:
    assert AuthenticationRequest.decode(authentication(host_key=host_key)).host_key == host_key


def test_a_user_may_have_spaces_and_a_domain() -> None:
    data = replaced(text("root"), text("Jörg van Dam@EXAMPLE\\host"))
    assert AuthenticationRequest.decode(data).user == "Jörg van Dam@EXAMPLE\\host"
