"""Who calls, and what they may do: access keys with a policy each."""

import fnmatch
import json
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from signer_aws_kms.testing.answers import AwsError

#: What may do everything: the policy of an administrator.
ADMINISTRATOR: Mapping[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}],
}

#: What a policy may make conditions about, with StringEquals: parameters of Sign.
_CONDITION_KEYS = frozenset({"kms:MessageType", "kms:SigningAlgorithm"})


def _policy(value: Mapping[str, Any] | str) -> Mapping[str, Any]:
    policy: Mapping[str, Any] = json.loads(value) if isinstance(value, str) else value
    for statement in _several(policy["Statement"]):
        unknown = set(statement) - {"Sid", "Effect", "Action", "Resource", "Condition"}
        unknown |= set(statement.get("Condition", {})) - {"StringEquals"}
        unknown |= set(_conditions(statement)) - _CONDITION_KEYS
        if unknown or statement["Effect"] not in ("Allow", "Deny"):
            raise ValueError(f"the fake KMS does not understand this statement: {json.dumps(statement)}")
    return policy


@attrs.frozen(kw_only=True)
class Identity:
    """An access key and whose it is.

    ``policy`` is an IAM policy document, a mapping or JSON, with ``Effect``, ``Action`` and ``Resource`` and their wild
    cards, and ``StringEquals`` for ``kms:SigningAlgorithm`` and ``kms:MessageType``. ``session_token`` makes it
    temporary, ``expires_at`` (seconds since 1970) ends it.
    """

    access_key_id: str
    secret_access_key: str = attrs.field(repr=False)
    session_token: str | None = attrs.field(default=None, repr=False)
    expires_at: float | None = None
    name: str = "tester"
    policy: Mapping[str, Any] = attrs.field(default=ADMINISTRATOR, converter=_policy, repr=False)

    def environment(self) -> dict[str, str]:
        """The variables in which AWS's own tools look for credentials."""
        variables = {"AWS_ACCESS_KEY_ID": self.access_key_id, "AWS_SECRET_ACCESS_KEY": self.secret_access_key}
        if self.session_token is not None:
            variables["AWS_SESSION_TOKEN"] = self.session_token
        return variables

    def authorize(self, account: str, action: str, resource: str, context: Mapping[str, Any]) -> None:
        """Raise AccessDeniedException, in IAM's words, unless the policy allows it; its conditions are about what is in
        ``context``.
        """
        effects = {
            statement["Effect"]
            for statement in _several(self.policy["Statement"])
            if _matches(statement["Action"], action, fold=True)
            and _matches(statement["Resource"], resource)
            and all(context.get(key) in values for key, values in _conditions(statement).items())
        }
        if effects == {"Allow"}:
            return
        reason = (
            "with an explicit deny in an identity-based policy"
            if effects
            else f"because no identity-based policy allows the {action} action"
        )
        on = "" if resource == "*" else f" on resource: {resource}"
        raise AwsError(
            "AccessDeniedException",
            f"User: arn:aws:iam::{account}:user/{self.name} is not authorized to perform: {action}{on} {reason}",
        )


def _conditions(statement: Mapping[str, Any]) -> dict[str, Sequence[Any]]:
    """The values that each condition key may have."""
    return {key: _several(values) for key, values in statement.get("Condition", {}).get("StringEquals", {}).items()}


def _several(value: Any) -> Sequence[Any]:
    return [value] if isinstance(value, str | Mapping) else value


def _matches(patterns: str | Sequence[str], value: str, *, fold: bool = False) -> bool:
    # IAM's wild cards are * and ?; actions are compared without regard to case.
    return any(
        fnmatch.fnmatchcase(value.lower() if fold else value, (each.lower() if fold else each).replace("[", "[[]"))
        for each in _several(patterns)
    )
