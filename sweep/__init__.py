"""Looking for faults for as long as there is time: ``python -m sweep``. It is no part of any distribution.

CONTRIBUTING.md tells what it does.
"""
