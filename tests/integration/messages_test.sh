#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every text that people read is one that gettext sees, and has a Vietnamese translation that says the same
# things to type. messages.py does the looking; what it is to find is put in front of it here as well.
#   messages_test.sh BUILD
# The README's sections have the same commands, codes and figures in both languages: readme.py.
# What is new in the sources gets its places in the file by: tests/integration/messages.py --update conf/po/vi.po
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
TREE=$PWD
HOME_DIR=$(mktemp -d)
trap 'rm -rf "$HOME_DIR"' EXIT
mkdir "$HOME_DIR/work"
. tests/lib/programs.sh
export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
SMARTCA=$BUILD/remote/cli/smartca
messages() { ran python3 "$TREE/tests/integration/messages.py" "$@"; }

# spoil EXPRESSION PROBLEM: the translations changed by sed are found to have that problem.
spoil() {
    sed -E "$1" conf/po/vi.po >"$HOME_DIR/work/vi.po"
    ! cmp -s conf/po/vi.po "$HOME_DIR/work/vi.po" || fail "nothing is changed by $1"
    refused python3 tests/integration/messages.py "$HOME_DIR/work/vi.po"
    say "$2"
}

echo "== every text of the sources is translated, and nothing else is in the file"
messages conf/po/vi.po

echo "== what is wrong with a translation is found, and the message is named"
spoil 's/^msgid "the signature is right"$/msgid "the signature is fine"/' 'is missing: "the signature is right"'
say 'is obsolete: "the signature is fine"'
spoil 's/^msgstr "chữ ký đúng"$/msgstr ""/' 'has no translation: "the signature is right"'
spoil '/^msgid "the signature is right"$/i #, fuzzy' 'is fuzzy: "the signature is right"'
spoil 's/^msgstr "tài khoản %s: đồng hồ"$/msgstr "tài khoản: đồng hồ"/' 'has other conversions: "account %s: clock"'
spoil 's/^msgstr "chạy chmod 700 cho nó"$/msgstr "chạy chmod cho nó"/' 'lacks chmod 700: "run chmod 700 on it"'
spoil 's/^msgstr "dùng --pin-file"$/msgstr "dùng tệp PIN"/' 'lacks --pin-file: "use --pin-file"'
spoil 's/^msgstr " hoặc "$/msgstr "hoặc"/' 'begins or ends with other white space: " or "'

echo "== no text of the tool is hidden from gettext"
messages --unmarked
mkdir "$HOME_DIR/work/tree"
cp -R remote "$HOME_DIR/work/tree/"
cat >>"$HOME_DIR/work/tree/remote/cli/verify.c" <<'SOURCE'
const char *hidden(void) { return "this is not marked"; }
SOURCE
(cd "$HOME_DIR/work/tree" && refused python3 "$TREE/tests/integration/messages.py" --unmarked)
say 'remote/cli/verify.c: "this is not marked"'

echo "== help, faults and tables speak Vietnamese; JSON keeps its keys and codes"
export LANGUAGE=vi HOME=$HOME_DIR SMARTCA_PKCS11_CONF=$HOME_DIR/smartca-pkcs11.conf
unset XDG_CONFIG_HOME XDG_STATE_HOME XDG_RUNTIME_DIR
ran "$SMARTCA" --help
say '^cách dùng: smartca '
deny 'usage:|exit status|this text'
refused "$SMARTCA" acount
say 'không có lệnh acount; có phải ý bạn là account\?'
printf '[smartca]\nurl = http://example.com\n[account work]\nconfirm = maybe\n[token usb]\n' >"$SMARTCA_PKCS11_CONF"
chmod 600 "$SMARTCA_PKCS11_CONF"
refused "$SMARTCA" doctor
say 'conf:2: url phải là https://'
say 'conf:4: confirm phải là app, otp hoặc totp$'
say 'conf:5: \[token usb\] thiếu module; hãy thêm$'
say '^lỗi    cấu hình: '
say '^đạt    đồng hồ: '
refused "$SMARTCA" doctor --json
say '"check":.*"configuration"'
say '"result":.*"fail"'
refused "$SMARTCA" account add other --user-id 012345678901 --sp-id x
say '\[account other\] thiếu sp_password; hãy thêm vào đây hoặc vào \[smartca\]'
say 'bước tiếp theo: thêm --sp-password-file, hoặc'
: >"$SMARTCA_PKCS11_CONF"
ran "$SMARTCA" slots --module "$BUILD/module/libsmartca-pkcs11.so"
say '^0 +tự ký .* chưa khởi tạo +có '
ran "$SMARTCA" slots --module "$BUILD/module/libsmartca-pkcs11.so" --json
say '"state":.*"uninitialized"'

echo "== LANG is enough, whether the system has made that locale or not; English stays English"
for language in vi_VN.UTF-8 vi_VN vi; do
    refused env -u LC_ALL -u LANGUAGE LANG=$language LOCPATH=/nonexistent "$SMARTCA"
    say 'thiếu tên lệnh'
done
for language in C en_US.UTF-8 POSIX; do
    refused env -u LC_ALL -u LANGUAGE LANG=$language LOCPATH=/nonexistent "$SMARTCA"
    say 'a verb is missing'
done
refused env -u LC_ALL LANGUAGE=en LANG=vi_VN.UTF-8 LOCPATH=/nonexistent "$SMARTCA"
say 'a verb is missing'

echo "== columns stand under their headings, whatever the letters"
ran "$SMARTCA" slots --module "$BUILD/module/libsmartca-pkcs11.so"
python3 - "$HOME_DIR/work/out" <<'PYTHON' || fail "the columns of the table"
import sys
table = [line for line in open(sys.argv[1], encoding="utf-8").read().splitlines() if not line.startswith("smartca:")]
sys.exit(table[0].index("ĐĂNG NHẬP") != table[1].index("có "))
PYTHON

echo "== the README says the same in Vietnamese, and what drifts is named"
readme() { python3 tests/integration/readme.py README.md "$1"; }
drifted() {
    sed -E "$1" conf/README.vi.md >"$HOME_DIR/work/README.vi.md"
    ! cmp -s conf/README.vi.md "$HOME_DIR/work/README.vi.md" || fail "nothing is changed by $1"
    refused readme "$HOME_DIR/work/README.vi.md"
    say "$2"
}
ran readme conf/README.vi.md
drifted '/^## Giấy phép$/d' '"## Licence" is missing'
drifted 's/--expiring 30/--expiring 31/' '"## Chứng thư số tự ký" .* has other commands: .*--expiring 31'
drifted 's/; .--serial. chọn một//' 'lacks .--serial.'
drifted 's/CKM_SHA256_RSA_PKCS, CKM_RSA_PKCS/CKM_SHA1_RSA_PKCS, CKM_RSA_PKCS/' 'has a table with other rows, codes or figures'
drifted '/^- \*\*Không là không/d' 'has 7 items, not 8'
while read -r target; do
    [ -e "conf/$target" ] || fail "README.vi.md names $target, which is not there"
done < <(grep -oE '\]\([^)]+\)' conf/README.vi.md | sed 's/^](//; s/)$//')
