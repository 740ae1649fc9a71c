# shellcheck shell=bash
# Makes .venv hold what a lock file says. Sourced by the commands beside it, never run.
# All it prints goes to stderr: the stdout of `sandbox --json` belongs to the caller.

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." >/dev/null && pwd -P)
venv=$root/.venv
stamp=$venv/deskhand-stamp # one line: lock file, fingerprint, folder; or "unfinished"

# use_venv LOCK: when it returns, .venv holds LOCK and deskhand itself. At once, if it already does.
use_venv() {
  _choose "$1"
  if ! _is_ready; then
    # Two first runs at a time would delete each other's work: one waits. (macOS has no flock and goes without.)
    (
      if command -v flock >/dev/null; then flock 9; fi
      _choose "$1"
      if ! _is_ready; then _install; fi
    ) 9>"$root/.venv.lock"
  fi
}

# Sets had, lock and wanted. The test lock holds all of the runtime lock, so once there it stays: the commands never
# undo each other's work.
_choose() {
  had='' lock=$1
  if [[ -f $stamp ]]; then had=$(<"$stamp"); fi
  if [[ $had == requirements-test.lock\ * ]]; then lock=requirements-test.lock; fi
  wanted=$(_fingerprint) || wanted=''
}

# What .venv must say to be ready. Fails without a Python in it that runs and is new enough.
_fingerprint() {
  "$venv/bin/python" -I -S - "$root" "$lock" 2>/dev/null <<'PYTHON'
import hashlib, sys
if sys.version_info < (3, 11):
    sys.exit(1)
root, lock = sys.argv[1:]
seen = hashlib.sha256(sys.version.encode())
for name in (lock, "pyproject.toml"):
    with open(f"{root}/{name}", "rb") as file:
        seen.update(file.read())
print(lock, seen.hexdigest(), f"{root}/.venv")
PYTHON
}

_is_ready() { [[ -n $wanted && $had == "$wanted" ]]; }

_install() {
  # An interrupted install may have left half a package, a moved folder scripts that point elsewhere: begin anew.
  # Any other difference is brought up to date in place.
  if [[ -z $wanted || ( -n $had && $had != *" $venv" ) ]]; then
    local python
    python=$(_find_python)
    rm -rf "$venv"
    mkdir "$venv"
    echo unfinished >"$stamp"
    _say "making .venv with $("$python" -V)"
    "$python" -m venv "$venv"
    wanted=$(_fingerprint)
  fi
  echo unfinished >"$stamp"
  _say "installing $lock into .venv (needed once)"
  _pip --version >/dev/null 2>&1 || "$venv/bin/python" -m ensurepip >/dev/null # a .venv made by uv has no pip
  _pip install --require-hashes -r "$root/$lock"
  _pip install --no-deps --no-build-isolation -e "$root"
  echo "$wanted" >"$stamp"
}

_pip() {
  # -qq: errors only. Away from the caller's folder: a pip.py lying there must not be taken for pip.
  (cd "$root" && "$venv/bin/python" -m pip -qq --no-input --disable-pip-version-check "$@" >&2 </dev/null)
}

_find_python() {
  local name
  for name in python3.13 python3.12 python3.11 python3; do
    # Run it: a name on PATH may be a stand-in for a Python that is not there, or one without venv.
    if "$name" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 </dev/null; then
      echo "$name"
      return
    fi
  done
  _say "needs Python 3.11 or newer with its venv module; tried python3.13, python3.12, python3.11 and python3"
  return 1
}

_say() { echo "${0##*/}: $*" >&2; }
