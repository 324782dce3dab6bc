"""``python -m benchmarks.signers BACKEND ARGUMENT NUMBER…``: open so many signers in one process.

Prints what the process was like at each number, as JSON: its memory in KB, its threads, its connections, the seconds of
the processor to open each signer since the number before, and the median of the seconds of a signature by one of them.
"""

import gc
import itertools
import json
import logging
import os
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from benchmarks.kms_stand_in import MESSAGE, numbered_arn
from signer_core import Signer, create_signer

CALLERS = 64
SIGNATURES = 2000


def configurations(backend: str, argument: str) -> Iterator[Mapping[str, object]]:
    """One for each signer: a key of its own in the KMS at that URL; or the key file of that configuration."""
    for number in itertools.count():
        if backend == "awskms":
            yield {"backend": "awskms", "key_id": numbered_arn(number), "endpoint_url": argument}
        else:
            yield json.loads(argument)


def state(signers: list[Signer], opening: float) -> dict[str, float]:
    """Of this process, after each of some of the signers has signed, by many threads."""
    some = list(itertools.islice(itertools.cycle(reversed(signers)), SIGNATURES))
    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(lambda signer: signer.sign(MESSAGE), some))
    times = []
    for signer in some[:500]:
        started = time.perf_counter()
        signer.sign(MESSAGE)
        times.append(time.perf_counter() - started)
    gc.collect()
    with open("/proc/self/status", encoding="ascii") as file:
        status = dict(line.split(":", 1) for line in file)
    return {
        "memory": float(status["VmRSS"].split()[0]),
        "threads": float(status["Threads"]),
        "connections": float(sum(is_socket(name) for name in os.listdir("/proc/self/fd"))),
        "opening": opening,
        "signing": statistics.median(times),
    }


def is_socket(descriptor: str) -> bool:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}").startswith("socket:")
    except OSError:
        return False  # it was the one that lists them


def main(backend: str, argument: str, numbers: list[int]) -> None:
    configuration = configurations(backend, argument)
    states = []
    with ExitStack() as stack:
        create_signer(next(configuration)).close()  # the imports are not what grows
        signers: list[Signer] = []
        for number in numbers:
            missing = number - len(signers)
            started = time.process_time()
            signers += [stack.enter_context(create_signer(next(configuration))) for _ in range(missing)]
            states.append(state(signers, (time.process_time() - started) / missing))
    print(json.dumps(states))


if __name__ == "__main__":
    logging.disable()
    main(sys.argv[1], sys.argv[2], [int(each) for each in sys.argv[3:]])
