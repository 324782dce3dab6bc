"""The signer command."""
