"""The tests of the backend noop."""
