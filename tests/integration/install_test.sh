#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What cmake --install puts where, and that it signs from there without the build tree.
#   install_test.sh BUILD    (which is installed, and whose emulator serves)
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/lib/emulator.sh
. tests/lib/programs.sh
. tests/lib/installed.sh
home_start
# shellcheck disable=SC2119 # no options
emulator_start
control phone '{"action":"approve"}' >/dev/null
account_write 'poll_interval = 0.1'
mkdir "$HOME_DIR/work"
cached() { sed -n "s/^$1:[A-Z]*=//p" "$BUILD/CMakeCache.txt"; }
prefix=$(cached CMAKE_INSTALL_PREFIX)
root=$HOME_DIR/installed

DESTDIR=$root cmake --install "$BUILD" >/dev/null
installed=$(cd "$root" && find . -type f | sed 's,^\.,,' | sort)
expected=$(installed_files "$prefix" "$prefix/$(cached CMAKE_INSTALL_LIBDIR)")
[ "$installed" = "$expected" ] || fail "installed files: $(diff <(echo "$expected") <(echo "$installed"))"
grep -qx 'module: libsmartca-pkcs11.so' "$root$(cached SMARTCA_MODULE_CONFIG_DIR)/smartca-pkcs11.module" ||
    fail "p11-kit's registration names the module without a folder"
# After quickstart, whose last lines say so, the same command has all it takes. Ninja knows what is made of what.
if [ -f "$BUILD/build.ninja" ]; then
    read -ra targets < <(sed -n 's/.*--target \([^;]*\);.*/\1/p' tests/quickstart)
    ninja -C "$BUILD" -t inputs "${targets[@]}" | sort >"$HOME_DIR/built-from"
    find "$BUILD" -name cmake_install.cmake -exec grep -hoE "\"$BUILD/[^\"]+" {} + | sed "s,^\"$BUILD/,," | sort -u >"$HOME_DIR/taken"
    ninja -C "$BUILD" -t targets all | sed 's/: [^:]*$//' | sort | comm -12 "$HOME_DIR/taken" - >"$HOME_DIR/made"
    [ -s "$HOME_DIR/made" ] || fail "nothing is built to be installed"
    while read -r path; do
        lacking=$(ninja -C "$BUILD" -t inputs "$path" | sort | comm -23 - "$HOME_DIR/built-from")
        [ -z "$lacking" ] || fail "quickstart does not build $path, which is installed"
    done <"$HOME_DIR/made"
fi
module=$(cached SMARTCA_MODULE_DIR)/libsmartca-pkcs11.so
says=$(PKG_CONFIG_PATH=$root$prefix/$(cached CMAKE_INSTALL_LIBDIR)/pkgconfig \
    pkg-config --variable=module smartca-pkcs11)
[ "$says" = "$module" ] || fail "pkg-config says $says"
grep -qaF "$(cached SMARTCA_REMOTE_DIR)/smartca-remote.so" "$root$module" ||
    fail "the module looks for its network half where that is"

printf x >"$HOME_DIR/x"
status=0
over_usr "$root" pkcs11-tool --module "$module" --sign --mechanism SHA256-RSA-PKCS -i "$HOME_DIR/x" \
    -o "$HOME_DIR/x.sig" >"$HOME_DIR/out" 2>&1 || status=$?
if [ $status = 77 ]; then
    echo "ok: installed files; not run at their places, because this system mounts no overlay"
    exit 0
fi
[ $status = 0 ] || { cat "$HOME_DIR/out"; fail "signing with the installed files"; }
[ "$(stat -c %s "$HOME_DIR/x.sig")" = 256 ] || fail "a signature of 256 bytes"
ran over_usr "$root" "$prefix/bin/smartca" slots
say ready
echo "ok: installed files, and a signature made with them"
