#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the host pays for having the module: loading it opens nothing but libraries, starting it and listing
# slots asks nobody, and none of it makes a thread, a process, a signal handler or a file.
#   load_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/lib/emulator.sh
. tests/lib/programs.sh
home_start
mkdir "$HOME_DIR/work"
# shellcheck disable=SC2119 # no options
emulator_start
# shellcheck disable=SC2119 # no extra lines
account_write
ran pkcs11-tool --module "$MODULE" -L # the certificates are known from here on

ran strace -f -o "$HOME_DIR/trace" "$BUILD/tests/integration/load_tool" "$MODULE"
[ "$(grep -c '/step/' "$HOME_DIR/trace")" = 6 ] || fail "a step is missing"

# calls STEP: the system calls of that step, without the process number.
calls() {
    sed 's/^[0-9]* *//' "$HOME_DIR/trace" | awk -v step="\"/step/$1\"" '
        /"\/step\// { on = index($0, step) > 0; next }
        on'
}
# none STEP PATTERN WHAT
none() {
    local found
    found=$(calls "$1" | grep -E "$2" || true)
    [ -z "$found" ] || fail "$1: $3:"$'\n'"$found"
}
[ "$(calls load | grep -c openat)" -gt 2 ] || fail "the trace does not show what loading opens"
[ "$(calls initialize | grep -c smartca-pkcs11.conf)" -gt 0 ] || fail "the trace does not show the configuration"

opened=$(calls load | sed -n 's/^\(open\|openat\)(.*"\(.*\)".*/\2/p' | grep -vE '\.so(\.[0-9.]+)?$|^/etc/ld\.so\.cache$' || true)
[ -z "$opened" ] || fail "loading opens $opened"
for step in load initialize list finalize unload exit; do
    none $step '^(socket|connect|bind|sendto|sendmsg)\(' "talks to somebody"
    none $step '^(clone|clone3|fork|vfork|execve)\(' "makes a thread or a process"
    none $step '^(rt_sigaction|sigaltstack|setitimer|timer_create|alarm)\(' "signals are changed"
    none $step '^(umask|chdir|fchdir|setpriority|prctl|setrlimit)\(|^prlimit64\([^,]*, [^,]*, \{' "the process is changed"
    none $step '^(mkdir|rename|unlink|chmod|fchmod|truncate|ftruncate)' "a file is changed"
    none $step 'O_CREAT' "a file is made"
    none $step '^write\(' "something is written"
    none $step 'libcurl|smartca-remote' "the network half is loaded"
done
none load 'smartca-pkcs11\.conf|catalogue|openssl\.cnf' "files of ours or of OpenSSL are read"
left=$(calls initialize | grep -E '^openat\(' | grep -vE 'O_CLOEXEC|ENOENT' | grep -v 'openssl\.cnf' || true)
[ -z "$left" ] || fail "what is opened would be inherited by programs: $left"
echo "ok: loading, starting and listing leave the process alone"
