"""The library's own errors for those of the operating system."""

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from signer_core.errors import AccessDeniedError, BackendUnavailableError, ConfigError, SignerError


def failure(error: OSError, what: str) -> SignerError:
    """The library's own error for the system's: ``what`` failed, why, and what to do."""
    message = f"{what}: {error.strerror or type(error).__name__}"
    if error.errno in (errno.EACCES, errno.EPERM):
        return AccessDeniedError(
            message, remedy="check the owner and the mode of the file and of the directories above"
        )
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP):
        return ConfigError(message, remedy="check that the path is right")
    return BackendUnavailableError(message)


@contextlib.contextmanager
def unchanged(path: Path) -> Iterator[None]:
    """A step of writing ``path`` that fails before anything has changed."""
    try:
        yield
    except SignerError:  # some are an OSError too
        raise
    except OSError as error:
        raise failure(error, f"{path} cannot be written, and nothing was changed") from None
