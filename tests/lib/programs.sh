# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Running programs whose output is looked at. Needs HOME_DIR.

fail() { echo "FAILED: $*"; exit 1; }

# ran COMMAND...: it must succeed; refused COMMAND...: it must fail. say and deny look at what it printed.
ran() {
    "$@" >"$HOME_DIR/work/out" 2>&1 || { cat "$HOME_DIR/work/out"; fail "$*"; }
}
refused() {
    ! "$@" >"$HOME_DIR/work/out" 2>&1 || { cat "$HOME_DIR/work/out"; fail "went through: $*"; }
}
say() { grep -qE -- "$1" "$HOME_DIR/work/out" || { cat "$HOME_DIR/work/out"; fail "no '$1'"; }; }
deny() { ! grep -qiE -- "$1" "$HOME_DIR/work/out" || { cat "$HOME_DIR/work/out"; fail "has '$1'"; }; }
