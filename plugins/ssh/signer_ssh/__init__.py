"""SSH with the keys of signer-core: ``signer-ssh-sign`` for git and ssh-keygen, ``signer-ssh-agent`` for logins."""
