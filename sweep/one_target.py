"""``python -m sweep.one_target NAME SECONDS CORPUS FOUND``: fuzz one target with atheris, in a process of its own.

What was interesting stays in ``CORPUS``, and is where the next run begins. What must not happen ends the process, and
the input that did it is in ``FOUND``.
"""

import sys
from pathlib import Path

import atheris  # sweep/tools.txt brings it

#: What is instrumented: where a new branch is taken, the input is kept.
_PACKAGES = ["signer_core", "signer_file", "signer_aws_kms", "signer_ssh", "signer_audit", "tomllib", "yaml"]
_LONGEST = 8192  # bytes of an input
_PATIENCE = 10  # seconds for one input, after which it counts as a hang
_MEMORY = 2048  # MiB


def main(name: str, seconds: str, corpus: str, found: str) -> None:
    """Run as a program."""
    with atheris.instrument_imports(include=_PACKAGES):
        from sweep.targets import TARGETS

        target = TARGETS[name]
        for number, seed in enumerate(target.seeds()):
            Path(corpus, f"seed-{number}").write_bytes(seed)
        with target.check() as check:
            for path in sorted(Path(corpus).glob("seed-*")):
                check(path.read_bytes())  # imports what is imported late, too
    limits = [f"-max_total_time={seconds}", f"-timeout={_PATIENCE}", f"-rss_limit_mb={_MEMORY}", f"-max_len={_LONGEST}"]
    with target.check() as check:
        atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={found}/", "-print_final_stats=1", corpus], check)
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
