# What the checks need on a machine that has Python and pip: uv, `python3 -m venv`, and what the tests compare with.

missing_packages() {
  command -v chromium >/dev/null || echo chromium
  command -v chromedriver >/dev/null || echo chromium-driver
  command -v openssl >/dev/null || echo openssl
  command -v git >/dev/null || echo git
  command -v ssh-keygen >/dev/null || echo openssh-client
  PATH="$PATH:/usr/sbin" command -v sshd >/dev/null || echo openssh-server
  python3 -c 'import ensurepip' 2>/dev/null || echo python3-venv
}

install_packages() {
  local as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
  echo "installing $*"
  "${as_root[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -qq -y --no-install-recommends "$@" >/dev/null
}

# The CPythons besides the one that uv takes, one path a line.
other_pythons() {
  local version candidate default
  default="$(uv run --quiet --no-project python -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
  for version in 3.11 3.12 3.13; do
    [ "$version" != "$default" ] || continue
    for candidate in $(type -aP "python$version") "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python"$version"; do
      # a shim is there and yet does not run
      if "$candidate" -c 'import ssl, venv' 2>/dev/null; then
        echo "$candidate"
        break
      fi
    done
  done
}

mapfile -t packages < <(missing_packages)
[ "${#packages[@]}" -eq 0 ] || install_packages "${packages[@]}"

export PATH="$PATH:$PWD/.venv-tools/bin"
# --target, so that it works where the system manages Python (PEP 668), too
uv --version >/dev/null 2>&1 || python3 -m pip install --quiet --target "$PWD/.venv-tools" uv
