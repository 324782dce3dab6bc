"""The tests of the extension audit."""
