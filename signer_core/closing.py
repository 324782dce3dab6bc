"""What is closed at the end of a ``with`` or an ``async with``."""

import abc
from types import TracebackType
from typing import Self

from signer_core.errors import PluginContractError


class Closing(abc.ABC):
    """Closes itself."""

    __slots__ = ()

    @abc.abstractmethod
    def close(self) -> None:
        """Give back what it holds."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except PluginContractError:
            if error is None:  # else the error on its way says more; the log has this one
                raise

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        from signer_core import parallel

        # It may have to wait for running calls: in a thread of its own, for the application may be using all of its
        # event loop's.
        await parallel.awaited(lambda _: self.__exit__(kind, error, trace), cancel=None, unwanted=_ignore)


def _ignore(_: None) -> None:
    """What a close gives."""
