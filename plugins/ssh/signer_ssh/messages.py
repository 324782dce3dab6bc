"""The messages of the agent protocol (draft-ietf-sshm-ssh-agent) that this agent knows: those without secrets."""

from collections.abc import Iterable
from typing import NamedTuple, Self

from signer_ssh.wire import Reader, string, text, uint32

FAILURE = bytes([5])
SUCCESS = bytes([6])
REQUEST_IDENTITIES = 11
SIGN_REQUEST = 13
EXTENSION = 27
_IDENTITIES_ANSWER = 12
_SIGN_RESPONSE = 14

#: The flags of a request to sign with RSA, and the algorithms that they ask for; without either, it is SHA-1.
RSA_FLAGS = {2: "rsa-sha2-256", 4: "rsa-sha2-512"}

#: OpenSSH's extension, by which a client tells of the session that it signs for (PROTOCOL.agent).
SESSION_BIND = "session-bind@openssh.com"

#: The bytes of a message, as in OpenSSH's agent.
MAX_BYTES = 256 * 1024


class SignRequest(NamedTuple):
    """A client wants ``data`` signed."""

    #: The public key, as SSH has it.
    key: bytes
    data: bytes
    flags: int

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """What follows the number of the message. Raises :class:`~signer_ssh.errors.MalformedError`."""
        key, data, flags = reader.string(), reader.string(), reader.uint32()
        reader.end()
        return cls(key, data, flags)


class SessionBind(NamedTuple):
    """A client tells that the connection serves one session."""

    #: The public key of the host, as SSH has it.
    host_key: bytes
    session_id: bytes
    #: The host's over the session's id.
    signature: bytes
    #: Whether the session is not to be authenticated, but carries requests from the other side.
    is_forwarding: bool

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """What follows the name of the extension. Raises :class:`~signer_ssh.errors.MalformedError`."""
        host_key, session_id, signature = reader.string(), reader.string(), reader.string()
        is_forwarding = reader.boolean()
        reader.end()
        return cls(host_key, session_id, signature, is_forwarding)


def identities(keys: Iterable[tuple[bytes, str]]) -> bytes:
    """The answer with all keys, as SSH has them, each with its comment."""
    entries = [string(key) + text(comment) for key, comment in keys]
    return bytes([_IDENTITIES_ANSWER]) + uint32(len(entries)) + b"".join(entries)


def signed(signature: bytes) -> bytes:
    """The answer with a signature, as SSH has it."""
    return bytes([_SIGN_RESPONSE]) + string(signature)
