"""The forms in which a key is named: key id, key ARN, alias name, alias ARN."""

import re

_KEY_ARN = re.compile(r"arn:[\w-]+:kms:[\w-]+:\w+:key/[\w-]+", re.ASCII)
_ALIAS = re.compile(r"(?:arn:[^:]+:kms:[^:]+:[^:]+:)?(alias/[a-zA-Z0-9/_-]{1,250})", re.ASCII)


def alias_in(key_id: str) -> str | None:
    """The alias name in an alias name or alias ARN; None for the other forms."""
    alias = _ALIAS.fullmatch(key_id)
    return None if alias is None else alias[1]


def region_of(key_id: str) -> str | None:
    """The region that an ARN names; None for what is no ARN."""
    parts = key_id.split(":")
    return (parts[3] or None) if parts[0] == "arn" and len(parts) > 5 else None


def is_key_arn(text: object) -> bool:
    """Whether it is the ARN of a key."""
    return isinstance(text, str) and _KEY_ARN.fullmatch(text) is not None


def may_mean(key_id: str, arn: str) -> bool:
    """Whether the key with this ARN may answer to ``key_id``; an alias may mean any of its account and region."""
    if key_id.startswith("alias/") or key_id == arn:
        return True
    place, is_alias, _ = key_id.partition(":alias/")
    return arn.startswith(f"{place}:key/") if is_alias else arn.endswith(f":key/{key_id}")
