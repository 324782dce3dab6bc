"""Whom connections trust: the one TLS context of an account."""

import os
import ssl

from signer_core.errors import ConfigError


def client_context(ca_bundle: str | None) -> ssl.SSLContext:
    """What connections are secured with: ``ca_bundle`` is a file or a directory of authorities, None botocore's own.

    Takes as long as the file system likes. Raises ``ConfigError`` if the bundle cannot be read.
    """
    try:
        if ca_bundle is not None and os.path.isdir(ca_bundle):
            return ssl.create_default_context(capath=ca_bundle)
        return ssl.create_default_context(cafile=ca_bundle or _usual_bundle())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ConfigError(
            f"the CA bundle {ca_bundle} cannot be read: {reason}",
            remedy="correct AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE or ca_bundle in AWS's configuration file",
        ) from error


def _usual_bundle() -> str:
    from botocore.httpsession import get_cert_path

    return str(get_cert_path(verify=True))
