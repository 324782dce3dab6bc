"""The forms in which a key is named: key id, key ARN, alias name, alias ARN."""

import re

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
    return isinstance(text, str) and text.startswith("arn:") and ":key/" in text


def may_mean(key_id: str, arn: str) -> bool:
    """Whether the key with this ARN may answer to ``key_id``; an alias may mean any."""
    if is_key_arn(key_id):
        return key_id == arn
    return key_id.startswith(("alias/", "arn:")) or arn.endswith(f":key/{key_id}")
