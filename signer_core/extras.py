"""Libraries that come with an extra, ``pip install 'signer-core[EXTRA]'``, and what is told where one is missing."""

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def brought_by(extra: str, library: str) -> Iterator[None]:
    """Around the import of ``library`` at the head of a module, so that its ``ModuleNotFoundError`` names the extra.

    That stays an ``ImportError``, by which programs look whether something is installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != library:
            raise
        raise ModuleNotFoundError(f"{error.msg}; to have it: pip install '{extra}'", name=library) from None
