"""From an HTTP request to its answer: protocol, signature, faults, operation."""

import json
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from signer_aws_kms.testing import management, operations, sigv4
from signer_aws_kms.testing.account import Account
from signer_aws_kms.testing.answers import Answer, AwsError
from signer_aws_kms.testing.connection import HttpRequest
from signer_aws_kms.testing.faults import Request
from signer_aws_kms.testing.identities import Identity
from signer_aws_kms.testing.injections import Injections
from signer_aws_kms.testing.keys import FakeKey
from signer_aws_kms.testing.operations import Call, Operation

OPERATIONS: Mapping[str, Operation] = {
    "CreateAlias": management.create_alias,
    "CreateKey": management.create_key,
    "DeleteAlias": management.delete_alias,
    "DescribeKey": management.describe_key,
    "DisableKey": management.disable_key,
    "EnableKey": management.enable_key,
    "GetPublicKey": operations.get_public_key,
    "ListAliases": management.list_aliases,
    "ListResourceTags": management.list_resource_tags,
    "ScheduleKeyDeletion": management.schedule_key_deletion,
    "Sign": operations.sign,
    "TagResource": management.tag_resource,
    "UpdateAlias": management.update_alias,
}

_TARGET = "TrentService."


@attrs.frozen(kw_only=True)
class Received:
    """A request that came; the names of ``headers`` are in lower case."""

    operation: str
    parameters: Mapping[str, Any]
    headers: Mapping[str, str]


class Service:
    """Answers requests, and counts them."""

    def __init__(self, account: Account, injections: Injections, wait: Callable[[], None]) -> None:
        self.identities: dict[str, Identity] = {}
        self.requests: Counter[str] = Counter()
        self.received: deque[Received] = deque(maxlen=100)
        self._account = account
        self._injections = injections
        self._wait = wait
        self._lock = threading.Lock()

    def handle(self, request: HttpRequest) -> Answer:
        """The answer to one request."""
        operation = request.headers.get("x-amz-target", "").removeprefix(_TARGET)
        try:
            parameters = _parameters(request)
        except AwsError as error:
            return error.answer()
        with self._lock:
            self.requests[operation] += 1
            self.received.append(Received(operation=operation, parameters=parameters, headers=request.headers))
        self._wait()
        key = self._key(parameters)

        def proceed() -> Answer:
            try:
                return Answer.of(self._perform(request, operation, parameters))
            except AwsError as error:
                return error.answer()

        fault = self._injections.take(operation, key)
        if fault is None:
            return proceed()
        return fault(Request(operation=operation, parameters=parameters, key=key, proceed=proceed))

    def _perform(self, request: HttpRequest, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any] | None:
        if operation not in OPERATIONS:
            raise AwsError("UnknownOperationException", "")
        caller = sigv4.authenticate(
            self.identities,
            method=request.method,
            path=request.path,
            headers=request.headers,
            body=request.body,
            region=self._account.region,
            now=self._account.clock(),
        )
        return OPERATIONS[operation](Call(self._account, caller, operation, parameters))

    def _key(self, parameters: Mapping[str, Any]) -> FakeKey | None:
        name = parameters.get("KeyId", parameters.get("TargetKeyId"))
        return self._account.named(name) if isinstance(name, str) else None


def _parameters(request: HttpRequest) -> Mapping[str, Any]:
    if request.method != "POST" or not request.headers.get("x-amz-target", "").startswith(_TARGET):
        raise AwsError("UnknownOperationException", "", status=404)
    try:
        parameters = json.loads(request.body)
    except ValueError:
        raise AwsError("SerializationException", "the body is not JSON") from None
    if not isinstance(parameters, dict):
        raise AwsError("SerializationException", "the body is not a JSON object")
    return parameters
