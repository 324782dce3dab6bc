"""The one boundary: the library's own errors for all that can go wrong between here and a signature."""

import socket
import ssl

from signer_aws_kms.answer import Answer, GarbledError
from signer_aws_kms.asked import Asked
from signer_aws_kms.connection import ProxyRefusedError
from signer_aws_kms.details import request_id, retry_after
from signer_aws_kms.pool import BusyError
from signer_aws_kms.refusals import TRANSIENT_STATUS, Refusal
from signer_core.errors import BackendUnavailableError, DeadlineExceededError, SignerError, SignError

#: What goes wrong before anything of a request was sent.
_UNSENT = (
    SignerError,
    BusyError,
    ConnectionRefusedError,
    ProxyRefusedError,
    socket.gaierror,
    ssl.SSLCertVerificationError,
)


def of_answer(answer: Answer, asked: Asked) -> SignerError:
    """The error for an answer without what was asked for."""
    refusal = Refusal.read(answer)
    if refusal is not None:
        error = refusal.error(asked)
        return _in_doubt(error, asked) if isinstance(error, SignError) and refusal.leaves_doubt else error
    if answer.status == 407:
        return of_connection(ProxyRefusedError(answer.status), asked)
    unreadable = BackendUnavailableError(
        f"{asked} failed: what answered HTTP {answer.status} was not KMS's JSON (request {request_id(answer)})",
        retry_after=retry_after(answer),
    )
    return unreadable if answer.status == 429 else _in_doubt(unreadable, asked)


def of_connection(error: Exception, asked: Asked) -> SignerError:
    """The error for what went wrong on the way to KMS or back; ``error`` itself is raised if it is no such thing."""
    failure = _on_the_way(error, asked)
    return failure if isinstance(error, _UNSENT) else _in_doubt(failure, asked)


def incomplete(asked: Asked, what: str) -> SignError:
    """The error for an answer that lacks ``what`` was asked for."""
    return _in_doubt(BackendUnavailableError(f"{asked} failed: the answer has no {what}"), asked)


def without_credentials(error: SignError | TimeoutError, asked: Asked) -> SignError:
    """The error for a request that could not be signed, which ``error`` tells why."""
    if isinstance(error, TimeoutError):
        return DeadlineExceededError(
            f"{asked} was not sent: there were no AWS credentials in time",
            remedy="`aws sts get-caller-identity` takes the same way to them, and tells more",
        )
    return type(error)(
        f"{asked} was not sent: {error.message}",
        remedy=error.remedy,
        retryable=error.retryable,
        retry_after=error.retry_after,
    )


def _in_doubt(error: SignError, asked: Asked) -> SignError:
    """``error``, which leaves open whether what was asked for was done."""
    return error if asked.in_doubt is None else type(error)(error.message, remedy=asked.in_doubt, retryable=False)


def _on_the_way(error: Exception, asked: Asked) -> SignError:
    if isinstance(error, BusyError):
        return DeadlineExceededError(
            f"{asked} was not sent: all connections were busy",
            remedy="raise max_connections, or sign less at the same time",
        )
    if isinstance(error, TimeoutError):
        return DeadlineExceededError(f"{asked} had no answer in time", remedy="check the network, or raise the timeout")
    if isinstance(error, ProxyRefusedError):
        remedy = "check the user and password of the proxy" if error.status == 407 else "check the proxy's rules"
        return BackendUnavailableError(
            f"{asked} failed: {error}", remedy=remedy, retryable=error.status in TRANSIENT_STATUS
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return BackendUnavailableError(
            f"{asked} failed: the server's certificate is not trusted: {error.verify_message}",
            remedy="set AWS_CA_BUNDLE to the right authorities, or correct endpoint_url; it is never left unchecked",
            retryable=False,
        )
    if isinstance(error, socket.gaierror):
        passing = error.errno in (socket.EAI_AGAIN, socket.EAI_SYSTEM, socket.EAI_MEMORY)
        return BackendUnavailableError(
            f"{asked} failed: the name of its endpoint cannot be resolved: {error.strerror}",
            remedy=None if passing else "check region and endpoint_url",
            retryable=passing,
        )
    if isinstance(error, OSError):
        why = error.strerror or type(error).__name__
        return BackendUnavailableError(
            f"{asked} failed: the connection broke: {why}", remedy="check the network, the proxy and the endpoint"
        )
    if isinstance(error, GarbledError):
        return BackendUnavailableError(f"{asked} failed: {error}")
    raise error
