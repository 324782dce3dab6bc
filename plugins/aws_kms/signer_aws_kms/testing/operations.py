"""The operations: from a request's parameters to the content of its answer."""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from signer_aws_kms.testing.account import Account
from signer_aws_kms.testing.answers import AwsError, invalid
from signer_aws_kms.testing.identities import Identity
from signer_aws_kms.testing.key_specs import MESSAGE_TYPES, RAW, SIGNING_ALGORITHMS
from signer_aws_kms.testing.keys import DISABLED, PENDING_DELETION, FakeKey

Content = dict[str, Any]

MAX_MESSAGE_BYTES = 4096


@attrs.frozen
class Call:
    """One request whose caller is known."""

    account: Account
    caller: Identity
    operation: str
    parameters: Mapping[str, Any]

    def text(self, name: str) -> str:
        """A parameter that must be there."""
        value = self.parameters.get(name)
        member = name[0].lower() + name[1:]
        if value is None:
            raise AwsError(
                "ValidationException",
                f"1 validation error detected: Value null at '{member}' failed to satisfy constraint: "
                "Member must not be null",
            )
        if not isinstance(value, str):
            raise AwsError("SerializationException", f"{type(value).__name__} can not be converted to a String")
        if not value:
            raise invalid(member, "have length greater than or equal to 1", value="")
        return value

    def choice(self, name: str, values: tuple[str, ...], default: str | None = None) -> str:
        """A parameter that is one of ``values``."""
        value = self.text(name) if default is None or name in self.parameters else default
        if value not in values:
            member = name[0].lower() + name[1:]
            raise invalid(member, f"satisfy enum value set: [{', '.join(values)}]", value=value)
        return value

    def blob(self, name: str) -> bytes:
        """A parameter of bytes, in Base64. Empty is fine: see :func:`sign`."""
        value = self.parameters.get(name)
        if value == "":
            return b""
        try:
            return base64.b64decode(self.text(name), validate=True)
        except binascii.Error:
            raise AwsError("SerializationException", f"{name} is not Base64") from None

    def permit(self, *resources: str) -> None:
        """Refuse if the caller's policy does not allow the operation on each resource."""
        context = {}
        if self.operation == "Sign":
            context = {
                "kms:MessageType": self.parameters.get("MessageType", RAW),
                "kms:SigningAlgorithm": self.parameters.get("SigningAlgorithm"),
            }
        for resource in resources:
            self.caller.authorize(self.account.id, f"kms:{self.operation}", resource, context)

    def key(self, parameter: str = "KeyId") -> FakeKey:
        """The key that a parameter names, which the caller may use."""
        key = self.account.find(self.text(parameter))
        self.permit(key.arn)
        return key


def usable(key: FakeKey) -> FakeKey:
    """Refuse a key that is disabled or about to be deleted."""
    state = key.state.read()
    if state == DISABLED:
        raise AwsError("DisabledException", f"{key.arn} is disabled.")
    return not_pending_deletion(key, state)


def not_pending_deletion(key: FakeKey, state: str | None = None) -> FakeKey:
    """Refuse a key that is about to be deleted."""
    if (state or key.state.read()) == PENDING_DELETION:
        raise AwsError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    return key


def sign(call: Call) -> Content:
    """Sign. An empty message is signed: the API's model asks for one byte at least, emulators do not."""
    message = call.blob("Message")
    if len(message) > MAX_MESSAGE_BYTES:
        raise invalid("message", f"have length less than or equal to {MAX_MESSAGE_BYTES}")
    algorithm = call.choice("SigningAlgorithm", SIGNING_ALGORITHMS)
    message_type = call.choice("MessageType", MESSAGE_TYPES, RAW)
    with call.account.lock:
        key = usable(call.key())
    if key.usage != "SIGN_VERIFY":
        raise AwsError("InvalidKeyUsageException", f"{key.arn} key usage is {key.usage} which is not valid for Sign.")
    if algorithm not in key.signing_algorithms:
        raise AwsError("InvalidKeyUsageException", f"Algorithm {algorithm} is incompatible with key spec {key.spec}.")
    signature = key.sign(message, algorithm, message_type)
    if call.parameters.get("DryRun"):
        raise AwsError("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
    return {
        "KeyId": key.arn,
        "Signature": base64.b64encode(signature).decode(),
        "SigningAlgorithm": algorithm,
    }


def get_public_key(call: Call) -> Content:
    """GetPublicKey."""
    with call.account.lock:
        key = call.key()
        if key.private_key is None:
            raise AwsError(
                "UnsupportedOperationException",
                f"{key.arn} key spec is {key.spec} which is not valid for GetPublicKey.",
            )
        usable(key)
    content = {
        "KeyId": key.arn,
        "PublicKey": base64.b64encode(key.public_key_der).decode(),
        "CustomerMasterKeySpec": key.spec,
        "KeySpec": key.spec,
        "KeyUsage": key.usage,
    }
    if key.usage == "SIGN_VERIFY":
        return {**content, "SigningAlgorithms": list(key.signing_algorithms)}
    return {**content, "EncryptionAlgorithms": ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]}


Operation = Callable[[Call], Content | None]
