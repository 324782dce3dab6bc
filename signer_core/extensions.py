"""The extensions of one signer: asked before each signature, told of its outcome, closed at the end."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from signer_core.deadline import Deadline
from signer_core.errors import PluginContractError, SignCancelledError
from signer_core.key_contract import FOREIGN
from signer_core.way import Way

if TYPE_CHECKING:  # those who have no extensions do not wait for what extensions take
    from signer_core.attached import Attached
    from signer_core.hookspecs import SigningKey
    from signer_core.prehash import Prehash
    from signer_core.public_key import PublicKey

_logger = logging.getLogger("signer_core")


class Extensions:
    """The extensions of one signer, in the order of its configuration."""

    __slots__ = ("_attached", "_closing", "_open")

    def __init__(self, attached: "Iterable[Attached]" = ()) -> None:
        self._attached = tuple(attached)
        self._open = list(self._attached)
        self._closing = threading.Lock()

    @classmethod
    def in_code(cls, extensions: Mapping[str, object]) -> "Extensions":
        """Those that a program made by itself, by name. Raises :class:`PluginContractError` and ``TypeError``."""
        if not isinstance(extensions, Mapping):
            raise TypeError(f"extensions must be a mapping from names to objects, not {type(extensions).__name__}")
        if not extensions:
            return cls()
        from signer_core.attached import Attached

        def attached(name: str, extension: object) -> "Attached":
            def broken(what: str) -> PluginContractError:
                return PluginContractError(
                    f"extension {name!r} is broken: {what}", remedy="see signer_core.hookspecs.AttachedHooks"
                )

            return Attached(name, extension, broken)

        return cls([attached(name, extension) for name, extension in extensions.items()])

    def watched(
        self, way: Way, key: "SigningKey", *, signer: str | None, backend: str | None, prehash: "Prehash | None" = None
    ) -> Way:
        """``way``, by which ``key`` signs, with all that the extensions have to say; without any it is ``way`` itself.

        ``signer`` and ``backend`` are what events call the two; ``prehash`` is what goes that way, if it is no message.
        """
        if not self._attached:
            return way
        hooks = [(each, *(each.hooks if prehash is None else each.digest_hooks)) for each in self._attached]
        return _watched(
            way,
            [(each, before) for each, before, _ in hooks if before is not None],
            [(each, after) for each, _, after in reversed(hooks) if after is not None],
            signer=signer,
            backend=backend,
            key_id=key.key_id,
            public_key=key.public_key,
            hash_name=None if prehash is None else prehash.name,
        )

    def check_digests(self) -> None:
        """Raise :class:`PolicyViolationError`, if one of them refuses whatever digest is to be signed."""
        for each in self._attached:
            if each.needs_message:
                raise each.refusal_of_digests()

    def close(self) -> PluginContractError | None:
        """Close each that is still open, the last one first; the first error of those that fail."""
        first = None
        with self._closing:
            while self._open:
                failure = self._open.pop().close()
                first = first or failure
        return first

    def forget_other_threads(self) -> None:
        """In a forked child: a thread that was closing them is not here."""
        self._closing = threading.Lock()


#: Extensions, each with one of its hooks.
_Hooks = Sequence[tuple["Attached", Callable[..., object]]]


def _watched(
    way: Way,
    asked: _Hooks,
    told: _Hooks,
    *,
    signer: str | None,
    backend: str | None,
    key_id: str,
    public_key: "PublicKey",
    hash_name: str | None,
) -> Way:
    """In one function, so that what a signature costs and where an interrupt may come can be seen."""
    from signer_core.attached import AnsweredError
    from signer_core.extension import SignEvent

    def watched(content: bytes, deadline: Deadline) -> bytes:
        event = (
            SignEvent(signer, backend, key_id, public_key, content, time.time(), None, len(content))
            if hash_name is None
            else SignEvent(signer, backend, key_id, public_key, None, time.time(), (hash_name, content))
        )
        waiting = iter(told)
        asking: Attached | None = None  # whose hook is running
        signature: bytes | None = None
        error: BaseException | None = None
        outcome: Exception | None = None
        try:
            for each, before in asked:
                asking = each
                if (answer := before(event)) is not None:
                    raise AnsweredError(type(answer).__name__)
            asking = None
            deadline.check()  # they may have taken their time
            signature = way(content, deadline)
        except BaseException as raised:
            error = raised if asking is None else asking.failure("signer_before_sign", raised)
            outcome = _outcome(error)
        while True:
            try:
                for each, after in waiting:  # goes on behind the one that raised
                    asking = each
                    if (answer := after(event, signature, outcome)) is not None:
                        raise AnsweredError(type(answer).__name__)
                break
            except BaseException as raised:
                error = _first(error, raised if asking is None else asking.failure("signer_after_sign", raised))
                signature, outcome = None, _outcome(error)
        if signature is not None:
            return signature
        try:
            raise error or AssertionError
        finally:  # the error's traceback holds this frame, which must not hold the error as well
            del error, outcome

    return watched


def _outcome(error: BaseException) -> Exception:
    """What extensions are told of the error that will be raised."""
    if isinstance(error, Exception):
        return error
    return SignCancelledError(f"the call was broken off by {type(error).__name__}; the key may have signed")


def _first(error: BaseException | None, failure: BaseException) -> BaseException:
    """Which of the two is raised: the first one, or an interrupt; the other becomes its note."""
    if error is None:
        return failure
    if isinstance(error, FOREIGN) and not isinstance(failure, FOREIGN):
        error, failure = failure, error
    note = str(failure) or type(failure).__name__
    error.add_note(note)
    _logger.warning("besides %s: %s", type(error).__name__, note)
    return error
