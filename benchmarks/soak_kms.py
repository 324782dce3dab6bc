"""The KMS of the soak: a fake one that fails now and then, and refuses credentials after a while."""

from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import attrs

from benchmarks.soak_credentials import Credentials
from signer_aws_kms.testing import FakeKms, faults
from signer_aws_kms.testing.injections import Injection

ALIAS = "alias/soak"
EVERY = 50  # signatures to one fault: 2 %
EVERY_RENEWAL = 3  # looks at the key to one fault

FAULTS = {
    "throttled": faults.throttle(),
    "throttled, with Retry-After": faults.throttle(retry_after=0),
    "KMSInternalException": faults.error("KMSInternalException"),
    "DependencyTimeoutException": faults.error("DependencyTimeoutException"),
    "HTTP 500 with HTML": faults.http_error(500),
    "HTTP 503 with HTML": faults.http_error(503),
    "reset": faults.reset(),
    "closed": faults.close(),
    "lost": faults.lose(),
    "cut": faults.cut(),
    "hanging": faults.hang(),
    "dripping": faults.drip(),
    "garbage": faults.garbage(),
    "no signature": faults.without("Signature"),
    "another key's ARN": faults.other_key_id(),
    "another key's signature": faults.other_key_signature(),
    "a flipped bit": faults.flip_bit(7),
    "a short signature": faults.shorten(),
}
#: Those that may be an attack, so that the call fails at once.
FATAL = ("another key's ARN", "another key's signature", "a flipped bit", "a short signature")
#: Those that befall every third look at the key, whose last good value stays in use.
RENEWAL_FAULTS = {
    "renewal throttled": faults.throttle(),
    "renewal closed": faults.close(),
    "renewal hanging": faults.hang(),
}


def serve(pipe: Connection, directory: Path) -> None:
    """The fake KMS, in a process of its own: tells how to reach it, and in the end what it has seen."""
    falsified = list[str]()
    with FakeKms() as kms:
        key = kms.create_key(alias=ALIAS)
        credentials = Credentials(kms, directory)
        watch = credentials.watch
        injections = {
            **injected(kms, {**FAULTS, **counted(falsified)}, watch, operation="Sign", every=EVERY),
            **injected(kms, RENEWAL_FAULTS, watch, operation="GetPublicKey", every=EVERY_RENEWAL),
        }
        kms.inject(watch(lambda request: request.proceed()), times=None)  # all that meet no fault
        pipe.send((kms.endpoint_url, kms.region, key.public_key_der))
        pipe.recv()
        hits = {name: injection.hits for name, injection in injections.items()}
        pipe.send(
            {
                "requests": kms.requests.total(),
                "renewals": kms.requests["GetPublicKey"],
                "connections": kms.connections_opened,
                "faults": hits,
                "falsified": len(falsified),
                "credentials": credentials.count,
                "refusals": credentials.refusals,
            }
        )


def injected(
    kms: FakeKms,
    kinds: dict[str, faults.Fault],
    watch: Callable[[faults.Fault], faults.Fault],
    *,
    operation: str,
    every: int,
) -> dict[str, Injection]:
    """The faults, watched, which befall each ``every``-th request of the operation in turn."""
    return {
        name: kms.inject(
            watch(fault), operation=operation, times=None, every=every * len(kinds), skip=every * (number + 1) - 1
        )
        for number, (name, fault) in enumerate(kinds.items())
    }


def counted(falsified: list[str]) -> dict[str, faults.Fault]:
    """The fatal faults, which note when they falsify an answer, and not an error such as that of an old token."""

    def counting(name: str) -> faults.Fault:
        def fault(request: faults.Request) -> Any:
            answer = request.proceed()
            if answer.status == 200:
                falsified.append(name)
            return FAULTS[name](attrs.evolve(request, proceed=lambda: answer))

        return fault

    return {name: counting(name) for name in FATAL}
