"""Verdict: what ``signer check`` tells of one of its steps."""

import attrs


@attrs.frozen(kw_only=True)
class Verdict:
    """One step of ``signer check``."""

    #: What was looked at, in a word or two.
    step: str
    #: Whether it is as it should be.
    passed: bool
    #: What was found.
    detail: str = ""
    #: What to do about it, for a step that did not pass.
    remedy: str | None = None
