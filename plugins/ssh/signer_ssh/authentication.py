"""What a client signs in order to log in: a request for authentication by public key."""

from typing import NamedTuple, Self

from signer_ssh.errors import MalformedError
from signer_ssh.keys import check_key
from signer_ssh.wire import Reader, boolean, string, text

_USERAUTH_REQUEST = 50
_SERVICE = "ssh-connection"
#: RFC 4252, section 7; and OpenSSH's, which names the host's key, too (PROTOCOL, "publickey-hostbound").
PUBLICKEY, HOSTBOUND = "publickey", "publickey-hostbound-v00@openssh.com"
#: Of the hashes that key exchanges have: SHA-1, SHA-256, SHA-384, SHA-512.
SESSION_ID_SIZES = frozenset({20, 32, 48, 64})


class AuthenticationRequest(NamedTuple):
    """The request of one session, for one user, by one key."""

    #: The hash of the session's key exchange: no other session has it.
    session_id: bytes
    user: str
    #: The name of the signature's algorithm.
    algorithm: str
    #: The public key, as SSH has it.
    key: bytes
    #: That of the host, as SSH has it; None where the request does not say.
    host_key: bytes | None = None

    def encoded(self) -> bytes:
        """The bytes that are signed."""
        method = PUBLICKEY if self.host_key is None else HOSTBOUND
        names = text(self.user) + text(_SERVICE) + text(method) + boolean(True) + text(self.algorithm)
        host = b"" if self.host_key is None else string(self.host_key)
        return string(self.session_id) + bytes([_USERAUTH_REQUEST]) + names + string(self.key) + host

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The way back. Raises :class:`~signer_ssh.errors.MalformedError` for whatever is no such request.

        What the client may choose has to be what it says it is, the host's key a key: so no place is left for other
        messages.
        """
        reader = Reader(data)
        session_id, number = reader.string(), reader.byte()
        if len(session_id) not in SESSION_ID_SIZES or number != _USERAUTH_REQUEST:
            raise MalformedError("it is no request for authentication")
        user, service, method, is_signed = reader.text(), reader.text(), reader.text(), reader.boolean()
        if service != _SERVICE or method not in (PUBLICKEY, HOSTBOUND) or not is_signed:
            raise MalformedError("it asks for another service, or by another method, than a login by key")
        algorithm, key = reader.text(), reader.string()
        host_key = reader.string() if method == HOSTBOUND else None
        reader.end()
        if not user.isprintable():
            raise MalformedError("its user has a name that nobody can read")
        if host_key is not None:
            check_key(host_key)
        return cls(session_id, user, algorithm, key, host_key)
