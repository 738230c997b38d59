# Sourced by the scripts that build and run: installs the Debian packages and the tools that are missing.

missing=()

# need COMMAND PACKAGE...: the packages, if there is no such command.
need() {
  local command=$1
  shift
  command -v "$command" >/dev/null 2>&1 || missing+=("$@")
}

# need_file PATTERN PACKAGE...: the packages, if no file matches the pattern.
need_file() {
  compgen -G "$1" >/dev/null || missing+=("${@:2}")
}

# What the build needs beside Rust: a C compiler, and libclang with its headers (for bindgen).
need_build() {
  command -v cargo >/dev/null 2>&1 || {
    echo "cargo was not found: install Rust 1.91 or later first" >&2
    exit 1
  }
  need cc gcc libc6-dev
  need_file '/usr/lib/llvm-*/lib/clang/*/include/stddef.h' libclang-dev
}

# cargo_tool NAME VERSION [ARGUMENTS OF cargo install...]: prints the path of a program written in Rust, of this version. Without
# optimisation and debug data, which would take longer than the program runs.
cargo_tool() {
  local name=$1 version=$2 tools
  tools=$(realpath -m "${CARGO_TARGET_DIR:-target}")/tools
  shift 2
  grep -qF "\"$name $version " "$tools/.crates.toml" 2>/dev/null ||
    env -u RUSTFLAGS CARGO_TARGET_DIR="$tools/build" CARGO_PROFILE_DEV_DEBUG=false CARGO_INCREMENTAL=0 \
      cargo install "$name" --version "$version" --locked --debug --quiet --force --root "$tools" "$@" >&2
  echo "$tools/bin/$name"
}

# Stages that run beside each other take turns.
install_missing() {
  [ ${#missing[@]} -gt 0 ] || return 0
  local turn
  exec {turn}>"${TMPDIR:-/tmp}/cnnfilter-packages.lock"
  flock "$turn"
  echo "Installing Debian packages: ${missing[*]}" >&2
  local sudo=()
  [ "$(id -u)" = 0 ] || sudo=(sudo)
  "${sudo[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null
  exec {turn}>&-
  missing=()
}
