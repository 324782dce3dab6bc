"""What hypothesis tries: messages, keys, encodings that went wrong, configurations."""

import enum
import functools
from pathlib import Path
from typing import Any

import attrs
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import strategies as st

from signer_core import Algorithm, PublicKey, Secret
from signer_core.algorithms import FACTS

messages = st.binary(max_size=300)
seeds = st.binary(min_size=32, max_size=32)
private_keys = seeds.map(Ed25519PrivateKey.from_private_bytes)


@functools.cache
def private_key(algorithm: Algorithm, number: int = 1) -> Any:
    """A private key for the algorithm, of cryptography's; the same one for the same number above 0.

    An RSA key is a new one in each run, and making it takes a moment: it is there for its other algorithms too.
    """
    key_type = FACTS[algorithm].key_type
    first = next(each for each, facts in FACTS.items() if facts.key_type is key_type)
    if first is not algorithm:
        return private_key(first, number)
    if key_type.private_size is None:
        return key_type.generate(rsa_bits=2048)
    return key_type.from_private_bytes(number.to_bytes(key_type.private_size, "big"))


@st.composite
def signing_keys(draw: st.DrawFn) -> tuple[Algorithm, Any]:
    """An algorithm, and a private key for it."""
    algorithm = draw(st.sampled_from(Algorithm))
    several = FACTS[algorithm].key_type.private_size is not None
    return algorithm, private_key(algorithm, draw(st.integers(1, 2**250)) if several else draw(st.integers(1, 2)))


public_keys = signing_keys().map(lambda pair: PublicKey.from_cryptography(pair[1].public_key(), algorithm=pair[0]))


@st.composite
def mutated(draw: st.DrawFn, original: bytes) -> bytes:
    """``original``, with some of its bytes changed, left out, or put where they do not belong."""
    changed = bytearray(original)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(0, len(changed) - 1)))
        match draw(st.sampled_from(("change", "cut", "insert", "end"))):
            case "change" if changed:
                changed[at] ^= draw(st.integers(1, 255))
            case "cut":
                del changed[at : at + draw(st.integers(1, 8))]
            case "insert":
                changed[at:at] = draw(st.binary(min_size=1, max_size=8))
            case _:
                del changed[at:]
    return bytes(changed)


@st.composite
def flipped(draw: st.DrawFn, original: bytes) -> bytes:
    """``original`` with one bit flipped; what is drawn does not depend on its length, which may vary by chance."""
    bit = draw(st.integers(0, 2**16 - 1)) % (len(original) * 8)
    changed = bytearray(original)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


class Mode(enum.Enum):
    """An enumeration for an option."""

    FAST = "fast"
    SAFE = "safe"


class Level(enum.IntEnum):
    """One whose values are numbers."""

    LOW = 1
    HIGH = 2


@attrs.frozen(kw_only=True)
class EveryOption:
    """A configuration class with each type of option that there may be."""

    text: str
    number: int = 0
    ratio: float = 0.5
    flag: bool = False
    place: Path = Path("default-place")
    token: Secret | None = attrs.field(default=None, repr=False)
    mode: Mode = Mode.FAST
    level: Level | None = None
    names: tuple[str, ...] = ()
    labels: dict[str, str] = attrs.field(factory=dict)
    maybe: str | None = None


#: Values that configurations hold, or that no configuration should hold.
values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from((10**400, -(10**400), "", "\0", "1m30s", "fast", "prompt", "env:HOME", "file:x", "\ud800", "0x"))
    | st.floats()
    | st.text(max_size=12)
    | st.binary(max_size=12)
    | st.dates()
    | st.just(object())
    | st.just(print),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)

option_names = st.sampled_from(
    (
        *("backend", "timeout", "attempt_timeout", "max_retries", "verify", "expected_address", "expected_public_key"),
        *("trusted", "extensions", "seed", *attrs.fields_dict(EveryOption)),
    )
)

#: Any table at all: known options with any values, and unknown ones.
tables = st.dictionaries(option_names | st.text(max_size=8) | st.integers() | st.none(), values, max_size=6)
