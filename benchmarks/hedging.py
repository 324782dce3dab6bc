"""The tail of signing with AWS KMS when some answers take long: with ``hedge_after`` beside without it."""

import http.client
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, closing

from benchmarks.kms_candidates import in_threads
from benchmarks.kms_server import ENVIRONMENT, stand_in
from benchmarks.kms_stand_in import ARN, MESSAGE
from benchmarks.measuring import Comparison, p99, shortened, undisturbed
from signer_core import create_signer

CALLERS = 8
DELAY = 0.008  # seconds until KMS answers, ...
SLOW = 0.02, 2.0  # ... but for this share, which takes so many
ROUNDS = 8
SECONDS = 3.0  # of each round
OPTIONS = {"with": {"hedge_after": "150ms"}, "without": {}}


def comparisons() -> Iterator[Comparison]:
    os.environ.update(ENVIRONMENT)
    with ExitStack() as stack:
        urls = {name: stack.enter_context(stand_in(DELAY, None, slow=SLOW)) for name in OPTIONS}
        signers = {
            name: stack.enter_context(
                create_signer({"backend": "awskms", "key_id": ARN, "endpoint_url": urls[name], **options})
            )
            for name, options in OPTIONS.items()
        }
        times: dict[str, list[float]] = {name: [] for name in OPTIONS}
        with undisturbed():
            for _ in range(shortened(ROUNDS, least=1)):
                for name, signer in signers.items():
                    times[name] += in_threads(lambda signer=signer: signer.sign(MESSAGE))(CALLERS, SECONDS)  # type: ignore[misc]
        requests = {name: 100 * asked(urls[name]) / len(times[name]) for name in OPTIONS}
    what = f"{SLOW[0]:.0%} of the answers take {SLOW[1]:g} s"
    yield Comparison(f"{what}: p99", p99(times["with"]), p99(times["without"]), 0.2)
    yield Comparison("  requests for 100 signatures", requests["with"], requests["without"], 1.05, unit="calls")


def asked(url: str) -> int:
    """How many signatures the stand-in was asked for."""
    with closing(http.client.HTTPConnection(url.removeprefix("http://"))) as connection:
        connection.request("POST", "/", b"{}", {"X-Amz-Target": "TrentService.Count"})
        signatures: int = json.load(connection.getresponse())["signatures"]
        return signatures
