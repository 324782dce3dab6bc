"""Agent: answers the requests of SSH clients with the keys of signers."""

import logging
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from signer_core import Algorithm, Signer
from signer_core.cli.failures import one_line
from signer_core.errors import SignerError
from signer_ssh import messages
from signer_ssh.authentication import AuthenticationRequest
from signer_ssh.bindings import Bindings
from signer_ssh.errors import MalformedError, RefusedError
from signer_ssh.keys import NAMES, encode_key, encode_signature
from signer_ssh.messages import SessionBind, SignRequest
from signer_ssh.sshsig import PREAMBLE, SignedData
from signer_ssh.wire import Reader

_logger = logging.getLogger("signer_ssh")


class _Key(NamedTuple):
    """A signer's key of this moment: a renewal may change it."""

    signer: Signer
    #: As SSH has it.
    encoded: bytes
    algorithm: Algorithm

    @property
    def name(self) -> str:
        """What it is called in lists and in the log."""
        return one_line(self.signer.name or self.signer.key_id)


class Agent:
    """Signs for logins, and for files in the allowed ``namespaces`` ("git"), by the ``signers``' keys. Nothing else:
    what is not known could be anything, a block or a transaction.

    It holds no connection and no lock, so that one agent serves many connections at once.
    """

    def __init__(self, signers: Sequence[Signer], *, namespaces: Collection[str] = ()) -> None:
        self._signers = tuple(signers)
        self._namespaces = frozenset(namespaces)

    async def answer(self, request: bytes, bindings: Bindings) -> bytes:
        """The answer to ``request``, a message without its length, on a connection with these ``bindings``.

        Whatever is not done is answered by a failure, and logged. Nothing is raised.
        """
        try:
            return await self._answer(Reader(request), bindings)
        except SignerError as error:
            _logger.warning("refused: %s", error)
        except Exception as error:
            _logger.exception("refused: unexpected %s", type(error).__name__)
        return messages.FAILURE

    async def _answer(self, request: Reader, bindings: Bindings) -> bytes:
        match request.byte():
            case messages.REQUEST_IDENTITIES:
                request.end()
                return messages.identities(self._listed())
            case messages.SIGN_REQUEST:
                return messages.signed(await self._signature(SignRequest.read(request), bindings))
            case messages.EXTENSION:
                name = request.text()
                if name == messages.SESSION_BIND:
                    bindings.bind(SessionBind.read(request))
                    return messages.SUCCESS
                _logger.info("refused: the extension %s is not known", name)
            case number:
                _logger.info("refused: requests of the kind %d are not served; keys are configured", number)
        return messages.FAILURE

    def _keys(self) -> Iterator[_Key]:
        for signer in self._signers:
            public_key = signer.public_key
            if public_key.algorithm in NAMES:  # as all were at the start; a renewal may bring another kind
                yield _Key(signer, encode_key(public_key), public_key.algorithm)

    def _listed(self) -> list[tuple[bytes, str]]:
        """Each key once, though it may serve several algorithms."""
        names: dict[bytes, str] = {}
        for key in self._keys():
            names.setdefault(key.encoded, key.name)
        return list(names.items())

    async def _signature(self, request: SignRequest, bindings: Bindings) -> bytes:
        keys = [each for each in self._keys() if each.encoded == request.key]
        if not keys:
            raise RefusedError("a key that is not listed was to sign")
        if request.flags & ~sum(messages.RSA_FLAGS):
            raise RefusedError(f"a signature was asked for with the flags {request.flags:#x}, which are not known")
        algorithms = {name for flag, name in messages.RSA_FLAGS.items() if request.flags & flag}
        algorithms |= {NAMES[each.algorithm] for each in keys} - {*messages.RSA_FLAGS.values()}  # those need a flag
        if request.data.startswith(PREAMBLE):
            purpose = self._file(request)
        else:
            login = self._login(request, bindings)
            algorithms &= {login.algorithm}
            purpose = f"a login as {login.user!r}"
        key = next((each for each in keys if NAMES[each.algorithm] in algorithms), None)
        if key is None:
            raise RefusedError(
                f"the key {keys[0].name} was to sign otherwise than with {NAMES[keys[0].algorithm]}",
                remedy="the client must take this algorithm: PubkeyAcceptedAlgorithms in its configuration",
            )
        signature = await key.signer.sign_async(request.data)
        if encode_key(key.signer.public_key) != request.key:
            raise RefusedError(f"the key {key.name} was replaced by another one while it signed")
        _logger.info("signed %s, by the key %s", purpose, key.name)
        return encode_signature(key.algorithm, signature)

    def _file(self, request: SignRequest) -> str:
        """What a signature of a file is for; :class:`RefusedError` if it is not allowed."""
        namespace = SignedData.decode(request.data).namespace
        if namespace not in self._namespaces:
            raise RefusedError(
                f"a file was to be signed in the namespace {namespace!r}",
                remedy=f"if it is meant: --allow-namespace {namespace}",
            )
        return f"a file in the namespace {namespace!r}"

    def _login(self, request: SignRequest, bindings: Bindings) -> AuthenticationRequest:
        """The request for authentication that is to be signed; :class:`RefusedError` for anything else."""
        try:
            login = AuthenticationRequest.decode(request.data)
        except MalformedError as error:
            raise RefusedError(f"bytes were to be signed that are neither a login nor a file's: {error}") from None
        if login.key != request.key:
            raise RefusedError("the login of another key was to be signed")
        bindings.check(login)
        return login
