"""``signer check``: each step on the way to a signature by itself, with what to do where one fails."""

import base64
import contextlib
import json
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import attrs

from signer_aws_kms.account import Account
from signer_aws_kms.asked import Asked
from signer_aws_kms.config import ATTEMPT_TIMEOUT, MAX_RETRIES, AwsKmsConfig
from signer_aws_kms.key import AwsKmsKey
from signer_aws_kms.opening import USAGE, account_of, open_with
from signer_aws_kms.refusals import DryRunSucceededError
from signer_aws_kms.signing_algorithms import SERVED, algorithm_for
from signer_core.algorithms import Algorithm, prehash_of
from signer_core.attempts import Attempts
from signer_core.deadline import Deadline
from signer_core.errors import DeadlineExceededError, InvalidSignatureError, SignerError, UnsupportedAlgorithmError
from signer_core.hookspecs import Verdict

_MESSAGE = b"signer check"
_CALLS = 10
_TOO_LITTLE = "look at the network, or raise the timeout"

T = TypeVar("T")


def verdicts(config: AwsKmsConfig, deadline: Deadline) -> Iterator[Verdict]:
    """The steps in order; a step that others build on ends them when it fails. Asks no service but KMS."""
    try:
        account = account_of(config, deadline)
    except SignerError as error:
        yield _failed("region and endpoint", error)
        return
    with contextlib.closing(account.lease()):  # so that its connections are closed when the check is over
        yield from _Checks(account, config, deadline).run()


@attrs.frozen
class _Checks:
    account: Account
    config: AwsKmsConfig
    #: Of all steps together; each has attempts of its own, as signing has.
    deadline: Deadline

    def run(self) -> Iterator[Verdict]:
        yield (credentials := self._credentials())
        place = self.account.place
        through = f", through the proxy {place.route.proxy.host}" if place.route.proxy else ""
        yield Verdict(step="region and endpoint", passed=True, detail=f"{place.region}, {place.endpoint}{through}")
        if not credentials.passed:
            return
        try:
            key = self._attempts(lambda attempt: open_with(self.account, self.config, attempt))
        except SignerError as error:
            yield _failed("key", error)
            if not error.retryable:  # what else is missing, so that all of it can be mended at once
                state, algorithm = self._state(self.config.key_id)
                yield state
                if algorithm is not None:
                    yield self._permission(self.config.key_id, algorithm)
            return
        try:
            yield Verdict(step="key", passed=True, detail=key.key_id)
            yield self._state(key.key_id)[0]
            yield Verdict(
                step="public key", passed=True, detail=f"{key.public_key.algorithm}, {key.public_key.fingerprint}"
            )
            yield (permission := self._permission(key.key_id, key.public_key.algorithm))
            if permission.passed:
                yield self._signature(key)
                yield self._latency(key)
        finally:
            key.close()

    def _credentials(self) -> Verdict:
        try:
            self._attempts(self._find_credentials)
        except SignerError as error:
            return _failed("credentials", error)
        return Verdict(step="credentials", passed=True, detail=f"found by {self.account.credentials.method}")

    def _find_credentials(self, attempt: Deadline) -> None:
        try:
            self.account.credentials.current(attempt)
        except TimeoutError as error:
            raise DeadlineExceededError(
                "they were not found in time",
                remedy="`aws sts get-caller-identity` takes the same way to them, and tells more",
            ) from error

    def _state(self, key_id: str) -> tuple[Verdict, Algorithm | None]:
        """State, spec and usage; and what the key would sign with, None if it serves nothing that is wanted."""
        try:
            described = self._call("DescribeKey", key_id)
        except SignerError as error:
            return _failed("key state", error), self.config.algorithm or Algorithm.ED25519
        metadata = described.get("KeyMetadata")
        facts = metadata if isinstance(metadata, dict) else {}
        state, spec, usage = (facts.get(name) for name in ("KeyState", "KeySpec", "KeyUsage"))
        detail = f"{state}, {spec}, {usage}"
        try:
            algorithm = algorithm_for(spec, self.config.algorithm)
        except UnsupportedAlgorithmError as error:
            return Verdict(step="key state", passed=False, detail=detail, remedy=error.remedy), None
        passed = (state, usage) == ("Enabled", USAGE)
        remedy = None if passed else f"it must be Enabled, and for {USAGE}"
        return Verdict(step="key state", passed=passed, detail=detail, remedy=remedy), algorithm

    def _permission(self, key_id: str, algorithm: Algorithm) -> Verdict:
        served = SERVED[algorithm]
        content = _MESSAGE if served.raw else bytes(prehash_of(algorithm).size)
        try:
            self._call(
                "Sign",
                key_id,
                Message=base64.b64encode(content).decode(),
                MessageType="RAW" if served.raw else served.prehashed,
                SigningAlgorithm=served.name,
                DryRun=True,
            )
        except DryRunSucceededError:
            pass
        except SignerError as error:
            return _failed("permission to sign", error)
        return Verdict(step="permission to sign", passed=True, detail=f"kms:Sign of {key_id}")

    def _signature(self, key: AwsKmsKey) -> Verdict:
        try:
            key.public_key.verify(self._sign(key), _MESSAGE)
        except InvalidSignatureError:
            remedy = "do not trust what answers at the endpoint"
            return Verdict(step="signature", passed=False, detail="it does not verify", remedy=remedy)
        except SignerError as error:
            return _failed("signature", error)
        return Verdict(step="signature", passed=True, detail="made, and verified with the public key")

    def _latency(self, key: AwsKmsKey) -> Verdict:
        """How long ten signatures take, or as many as there is time for, beside the time that one may take."""
        taken: list[float] = []
        try:
            while len(taken) < _CALLS and (not taken or self._have(2 * max(taken))):
                taken.append(_seconds(lambda: self._sign(key)))
        except SignerError as error:
            return _failed("latency", error)
        count = f"{len(taken)} signature{'s' if len(taken) > 1 else ''}"
        detail = f"{count}: median {statistics.median(taken):.3g}s, worst {max(taken):.3g}s"
        limit = self.deadline.seconds
        if limit is not None:
            detail += f"; the timeout is {limit:g}s"
        passed = limit is None or max(taken) < limit / 2
        return Verdict(step="latency", passed=passed, detail=detail, remedy=None if passed else _TOO_LITTLE)

    def _have(self, seconds: float) -> bool:
        """Whether there is as much time left."""
        remaining = self.deadline.remaining()
        return remaining is None or remaining > seconds

    def _sign(self, key: AwsKmsKey) -> bytes:
        return self._attempts(lambda attempt: key.sign(_MESSAGE, attempt))

    def _call(self, operation: str, key_id: str, **more: Any) -> dict[str, Any]:
        request = {"KeyId": key_id, **more}
        if self.config.grant_tokens:
            request["GrantTokens"] = self.config.grant_tokens
        asked = Asked(operation, key_id, self.account.place.region)
        body = json.dumps(request).encode()
        return self._attempts(lambda attempt: self.account.transport.call(asked, body, attempt))

    def _attempts(self, attempt: Callable[[Deadline], T]) -> T:
        return Attempts(attempt_timeout=ATTEMPT_TIMEOUT, max_retries=MAX_RETRIES).run(attempt, self.deadline)


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _failed(step: str, error: SignerError) -> Verdict:
    return Verdict(step=step, passed=False, detail=error.message, remedy=error.remedy or "see the message")
