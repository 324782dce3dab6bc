"""The library's own errors for those of the operating system."""

import errno

from signer_core.errors import AccessDeniedError, ConfigError, ExtensionError, SignerError

_WRONG_PATH = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EISDIR, errno.ENXIO}


def failure(error: OSError, what: str) -> SignerError:
    """The library's own error for the system's: ``what`` failed, why, and what to do."""
    message = f"{what}: {error.strerror or type(error).__name__}"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return AccessDeniedError(message, remedy="check the owner and the mode of the log and of its directory")
    if error.errno == errno.ELOOP:
        return ConfigError(
            f"{what}: it is a symbolic link, which is not followed", remedy="set 'path' to the log itself"
        )
    if error.errno in _WRONG_PATH:
        return ConfigError(message, remedy="make its directory, and check that the path is right")
    return ExtensionError(message)
