"""What to do about a missing permission: the statement that would give it.

Sources: the AWS KMS Developer Guide, "AWS KMS permissions" and "Use aliases to control access to KMS keys": what signs
and reads is permitted on keys, never on aliases; an alias is created on both.
"""

import json
import re
from typing import Any

from signer_aws_kms.asked import Asked
from signer_aws_kms.key_names import alias_in, is_key_arn, may_mean

#: AWS's own words; the resource is missing where none is known.
_CALLER = re.compile(r"User: (?P<arn>arn:(?P<partition>[\w-]+):\w+::(?P<account>\d{12}):\S+) is not authorized")
_ON = re.compile(r" on resource: (\S+)")
_WHERE = re.compile(r"because no (?P<policy>[\w -]+) allows|with an explicit deny in an? (?P<denying>[\w -]+)")
_KEY_ID = re.compile(r"[\w-]+", re.ASCII)


def how_to_permit(asked: Asked, text: str) -> str:
    """The remedy for a request that AWS denied, and said ``text`` about."""
    # a key is made with its tags at once, which takes a permission of its own
    action = "kms:TagResource" if "kms:TagResource" in text else f"kms:{asked.operation}"
    where = _WHERE.search(text)
    if where is not None and where["denying"]:
        return f"it is denied explicitly: take the Deny of {action} back in the {where['denying']}"
    policy = "IAM policy" if where is None or where["policy"] == "identity-based policy" else where["policy"]
    caller = _CALLER.search(text)
    statement: dict[str, Any] = {"Effect": "Allow", "Action": action}
    if policy == "resource-based policy" and caller is not None:  # the key's own, to which it is the only resource
        policy = "key policy"
        statement |= {"Principal": {"AWS": caller["arn"]}, "Resource": "*"}
    else:
        statement |= _on(asked, text)
    return f"allow it in the {policy}: {json.dumps(statement)}"


def _on(asked: Asked, text: str) -> dict[str, Any]:
    """``Resource`` of a statement, and what else is needed to mean the key that was asked for."""
    if asked.resources:
        return {"Resource": asked.resources[0] if len(asked.resources) == 1 else list(asked.resources)}
    named = _ON.search(text)
    for arn in (asked.key_id, named[1] if named else ""):
        if is_key_arn(arn) and may_mean(asked.key_id, arn):
            return {"Resource": arn}
    caller = _CALLER.search(text)
    partition, account = (caller["partition"], caller["account"]) if caller else ("aws", "*")
    if asked.key_id.startswith("arn:"):
        _, partition, _, _, account, *_ = [*asked.key_id.split(":"), *5 * ["*"]]
    keys = f"arn:{partition}:kms:{asked.region}:{account}:key"
    alias = alias_in(asked.key_id)
    if alias is not None:
        return {"Resource": f"{keys}/*", "Condition": {"ForAnyValue:StringEquals": {"kms:ResourceAliases": alias}}}
    return {"Resource": f"{keys}/{asked.key_id if _KEY_ID.fullmatch(asked.key_id) else '*'}"}
