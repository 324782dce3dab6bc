"""Signatures of files (PROTOCOL.sshsig in OpenSSH): what is signed, and the form in which it is written."""

import binascii
from typing import NamedTuple, Self

from signer_ssh.errors import MalformedError
from signer_ssh.wire import Reader, string, text, uint32

PREAMBLE = b"SSHSIG"
_VERSION = 1
#: The hashes that a file may go through first, and the bytes of their digests.
HASHES = {"sha512": 64, "sha256": 32}
_LINE = 70  # as ssh-keygen writes


class SignedData(NamedTuple):
    """What is signed for a file. It says what the signature is for, and is no other thing that SSH signs."""

    #: What the signature is meant for: "git", "file", …
    namespace: str
    hash_name: str
    #: Of the file.
    digest: bytes

    def encoded(self) -> bytes:
        """The bytes that are signed."""
        return PREAMBLE + text(self.namespace) + _RESERVED + text(self.hash_name) + string(self.digest)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The way back. Raises :class:`~signer_ssh.errors.MalformedError`."""
        reader = Reader(data)
        if reader.take(len(PREAMBLE)) != PREAMBLE:
            raise MalformedError("it is no signature of a file")
        namespace, reserved, hash_name, digest = reader.text(), reader.string(), reader.text(), reader.string()
        reader.end()
        if reserved or HASHES.get(hash_name) != len(digest):
            raise MalformedError("a signature of a file has another hash, or another digest, than there can be")
        return cls(namespace, hash_name, digest)

    def armored(self, key: bytes, signature: bytes) -> bytes:
        """The signature as it is written into a file; ``key`` and ``signature`` as SSH has them."""
        blob = PREAMBLE + uint32(_VERSION) + string(key) + text(self.namespace) + _RESERVED
        blob += text(self.hash_name) + string(signature)
        encoded = binascii.b2a_base64(blob, newline=False)
        lines = [encoded[start : start + _LINE] for start in range(0, len(encoded), _LINE)]
        return b"\n".join([b"-----BEGIN SSH SIGNATURE-----", *lines, b"-----END SSH SIGNATURE-----", b""])


_RESERVED = string(b"")
