"""Backend: what a backend says of itself, and what its words must be."""

from collections.abc import Iterable
from typing import Any

import attrs

from signer_core.algorithms import Algorithm
from signer_core.options import budget


def _frozen(algorithms: Iterable[Algorithm]) -> frozenset[Algorithm]:
    return frozenset(Algorithm(each) for each in algorithms)


def is_bool(_: object, field: "attrs.Attribute[bool]", value: object) -> None:
    """A validator of fields; raises TypeError."""
    if not isinstance(value, bool):
        raise TypeError(f"{field.name} must be True or False, not {value!r}")


def _is_count(_: object, field: "attrs.Attribute[int]", value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{field.name} must be a whole number, not {value!r}")
    if value < 0:
        raise ValueError(f"{field.name} must be 0 or more, not {value!r}")


@attrs.frozen(kw_only=True)
class Backend:
    """What the core must know of a backend before it opens a key."""

    #: The version of this contract that the plugin was written for: a literal, not ``CONTRACT``.
    contract: int
    #: The frozen attrs class of its options.
    config_class: type[Any]
    #: Its keys are reached over a network: their signatures are verified unless the configuration says otherwise.
    remote: bool = attrs.field(default=False, validator=is_bool)
    #: The algorithms of the keys that it can open.
    algorithms: frozenset[Algorithm] = attrs.field(default=frozenset(Algorithm), converter=_frozen)
    #: The defaults of the core's options: the seconds that one call may take; None for no limit.
    default_timeout: float | None = attrs.field(default=None, converter=budget)
    #: The seconds that one attempt may take.
    default_attempt_timeout: float | None = attrs.field(default=None, converter=budget)
    #: The attempts after the first.
    default_max_retries: int = attrs.field(default=0, validator=_is_count)
