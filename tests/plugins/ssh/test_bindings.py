"""The sessions that a connection is bound to."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_core import Algorithm
from signer_ssh.authentication import AuthenticationRequest
from signer_ssh.bindings import Bindings
from signer_ssh.errors import MalformedError, RefusedError
from signer_ssh.keys import NAMES, encode_key, encode_signature
from signer_ssh.messages import SessionBind
from signer_ssh.wire import Reader, boolean, string
from tests.plugins.ssh.keys import SESSION_ID, authentication, public_key, signer
from tests.strategies import mutated

OTHER_SESSION = bytes(32)
HOST_KEY = encode_key(public_key(number=7))


def session(
    session_id: bytes = SESSION_ID, *, algorithm: Algorithm = Algorithm.ED25519, is_forwarding: bool = False
) -> SessionBind:
    """What a client tells that connects to a host with that signer's key."""
    with signer(algorithm, number=7) as host:
        signature = encode_signature(algorithm, host.sign(session_id))
    return SessionBind(encode_key(public_key(algorithm, number=7)), session_id, signature, is_forwarding)


def login(session_id: bytes = SESSION_ID, host_key: bytes | None = None) -> AuthenticationRequest:
    return AuthenticationRequest.decode(authentication(session_id=session_id, host_key=host_key))


def refused(action: Callable[[], None], reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        action()


def test_a_client_that_binds_nothing_may_log_in() -> None:
    Bindings().check(login())


@pytest.mark.parametrize("algorithm", NAMES)
def test_hosts_have_keys_of_all_kinds(algorithm: Algorithm) -> None:
    bindings = Bindings()
    bindings.bind(session(algorithm=algorithm))
    bindings.check(login())


def test_a_bound_connection_is_for_its_session_alone() -> None:
    bindings = Bindings()
    bindings.bind(session())
    bindings.check(login())
    bindings.check(login(host_key=HOST_KEY))
    refused(lambda: bindings.check(login(OTHER_SESSION)), "another session")
    refused(lambda: bindings.check(login(host_key=encode_key(public_key(number=3)))), "another host key")
    refused(lambda: bindings.bind(session(OTHER_SESSION)), "to log in to already")


def test_a_forwarded_connection_is_for_the_session_behind() -> None:
    bindings = Bindings()
    bindings.bind(session(is_forwarding=True))
    refused(lambda: bindings.check(login()), "only forwards")
    refused(lambda: bindings.bind(session(is_forwarding=True)), "that session already")
    bindings.bind(session(OTHER_SESSION))
    bindings.check(login(OTHER_SESSION))
    refused(lambda: bindings.check(login()), "another session")


def test_a_connection_is_not_forwarded_for_ever() -> None:
    bindings = Bindings()
    for number in range(16):
        bindings.bind(session(bytes([number] * 32), is_forwarding=True))
    refused(lambda: bindings.bind(session()), "16 sessions already")


def test_a_session_is_signed_by_its_host() -> None:
    bindings = Bindings()
    refused(lambda: bindings.bind(session()._replace(session_id=OTHER_SESSION)), "signature of the session is wrong")
    refused(lambda: bindings.bind(session(b"too short")), "no session has such an id")
    with pytest.raises(MalformedError, match="no public key of the kind"):
        bindings.bind(session()._replace(host_key=encode_key(public_key(Algorithm.ECDSA_P256_SHA256))))
    bindings.check(login(OTHER_SESSION))


@given(st.data())
def test_what_is_read_is_as_it_would_be_written_or_malformed(data: st.DataObject) -> None:
    def written(bind: SessionBind) -> bytes:
        strings = string(bind.host_key) + string(bind.session_id) + string(bind.signature)
        return strings + boolean(bind.is_forwarding)

    content = data.draw(mutated(written(session())) | st.binary(max_size=60))
    try:
        read = SessionBind.read(Reader(content))
    except MalformedError:
        return
    assert written(read) == content
