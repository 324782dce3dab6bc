"""What a release of all distributions takes: ``python -m release``. It is no part of any of them.

CONTRIBUTING.md tells how to make a release, docs/how-to/verify-a-release.md how its users check one.
"""
