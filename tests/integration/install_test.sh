#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What cmake --install puts where, and that it signs from there without the build tree.
#   install_test.sh BUILD    (whose emulator serves)
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/lib/emulator.sh
home_start
# shellcheck disable=SC2119 # no options
emulator_start
control phone '{"action":"approve"}' >/dev/null
account_write 'poll_interval = 0.1'
root=$HOME_DIR/installed
fail() { echo "FAILED: $*"; exit 1; }

cmake -S . -B "$HOME_DIR/build" -G Ninja -DSMARTCA_TESTS=OFF -DCMAKE_INSTALL_PREFIX="$root" \
    -DCMAKE_INSTALL_LIBDIR=lib -DSMARTCA_MODULE_DIR="$root/lib/pkcs11" \
    -DSMARTCA_MODULE_CONFIG_DIR="$root/share/p11-kit/modules" >/dev/null
cmake --build "$HOME_DIR/build" >/dev/null
cmake --install "$HOME_DIR/build" >/dev/null
rm -r "$HOME_DIR/build"

expected=(bin/smartca lib/pkcs11/libsmartca-pkcs11.so lib/pkgconfig/smartca-pkcs11.pc
    lib/smartca-pkcs11/smartca-remote.so share/doc/smartca-pkcs11/README.vi.md share/doc/smartca-pkcs11/smartca-pkcs11.conf.sample
    share/locale/vi/LC_MESSAGES/smartca-pkcs11.mo share/p11-kit/modules/smartca-pkcs11.module)
installed=$(cd "$root" && find . -type f | sed 's,^\./,,' | sort)
[ "$installed" = "$(printf '%s\n' "${expected[@]}" | sort)" ] || fail "installed files: $installed"
grep -qx 'module: libsmartca-pkcs11.so' "$root/share/p11-kit/modules/smartca-pkcs11.module" ||
    fail "p11-kit's registration names the module without a folder"
module=$(PKG_CONFIG_PATH=$root/lib/pkgconfig pkg-config --variable=module smartca-pkcs11)
[ "$module" = "$root/lib/pkcs11/libsmartca-pkcs11.so" ] || fail "pkg-config says $module"

printf x >"$HOME_DIR/x"
pkcs11-tool --module "$module" --sign --mechanism SHA256-RSA-PKCS -i "$HOME_DIR/x" -o "$HOME_DIR/x.sig" \
    >"$HOME_DIR/out" 2>&1 || { cat "$HOME_DIR/out"; fail "signing with the installed files"; }
[ "$(stat -c %s "$HOME_DIR/x.sig")" = 256 ] || fail "a signature of 256 bytes"
"$root/bin/smartca" slots --module "$module" | grep ready >/dev/null || fail "the tool lists the slot"
echo "ok: installed files, and a signature made with them"
