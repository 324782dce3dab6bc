"""A Signer seen as somebody else's key: one module for each library, imported by who uses it."""
