"""What signer-core costs, measured beside what it stands on, in one run: ``uv run python -m benchmarks [GROUP]``."""
