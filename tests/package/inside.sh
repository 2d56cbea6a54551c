#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Run by package/run as root of a new Debian 12 that has /package.deb and, in /checkout, the tests and the emulator.
set -euo pipefail
cd /checkout
. tests/lib/programs.sh
. tests/lib/install.sh
HOME_DIR=$(mktemp -d)
mkdir "$HOME_DIR/work"
# somebody COMMAND...: as a person who has just an account here.
somebody() { runuser -u nga -- env HOME=/home/nga "$@"; }
# Every path but those of package management.
paths() {
    find / -xdev \( -path /proc -o -path /tmp -o -path /run -o -path /var/lib/dpkg -o -path /var/lib/apt \
        -o -path /var/cache -o -path /var/log -o -path /checkout \) -prune -o -print | sort
}

useradd -m -s /bin/bash nga
ran apt-get update -qq
ran apt-get install -y --no-install-recommends /package.deb
ran dpkg --verify smartca-pkcs11
ran somebody smartca --version
ran somebody smartca --help
ran somebody smartca slots
echo "ok: installed with nothing but what it depends on ($(dpkg-query -W -f '${Version}' smartca-pkcs11)): $(somebody smartca --version)"

apt-get install -y -qq --no-install-recommends p11-kit pkg-config systemd >/dev/null 2>&1
install_packages demo
ran dpkg -r smartca-pkcs11
paths >"$HOME_DIR/before"
ran dpkg -i /package.deb

ran somebody p11-kit list-modules
say '^smartca-pkcs11: libsmartca-pkcs11.so$'
ran somebody pkcs11-tool --module p11-kit-proxy.so --list-slots
(umask 077 && printf 'correct horse\n' >/home/nga/pin && printf 'battery staple\n' >/home/nga/so-pin)
chown nga: /home/nga/*pin
head -c 100000 /dev/urandom >/home/nga/document
ran somebody smartca selfsigned create --user binh.tt --name 'Trần Thị Bình' --years 5 \
    --pin-file /home/nga/pin --so-pin-file /home/nga/so-pin
ran somebody pkcs11-tool --module p11-kit-proxy.so --list-slots
say 'token label +: binh.tt'
ran somebody smartca selfsigned export --user binh.tt --out /home/nga/binh.pem
ran somebody smartca sign --slot binh.tt --pin-file /home/nga/pin /home/nga/document
ran somebody smartca verify /home/nga/document --ca-file /home/nga/binh.pem
ran openssl cms -verify -binary -inform DER -in /home/nga/document.p7s -content /home/nga/document \
    -CAfile /home/nga/binh.pem -purpose any -out /dev/null
echo "ok: p11-kit and pkcs11-tool find the module, a self-signed slot is made, a document is signed and verified"

chown -R nga: /checkout
ran somebody /checkout/tests/quickstart --installed /checkout/build
say 'all verified'
cat "$HOME_DIR/work/out"
echo "ok: quickstart from the installed files"

getent passwd smartca-share >/dev/null || fail "no account for sharing"
ran systemctl enable smartca-share.socket
echo "ok: systemd knows the units of sharing, and their account is there"

rm /home/nga/{pin,so-pin,document,document.p7s,binh.pem}
ran dpkg -r smartca-pkcs11
paths >"$HOME_DIR/after"
left=$(comm -13 "$HOME_DIR/before" "$HOME_DIR/after")
# shellcheck disable=SC2086 # a line for each path
printf '   left: %s\n' $left
enabled=/etc/systemd/system/sockets.target.wants
! grep -vE "^$enabled(/smartca-share.socket)?\$|^/home/nga(/\.(local|local/state|config|cache)(/smartca-pkcs11(/.*)?)?)?\$" <<<"$left" ||
    fail "more than state is left"
[ -z "$(comm -23 "$HOME_DIR/before" "$HOME_DIR/after")" ] || fail "files of others are gone"
ran dpkg -P smartca-pkcs11
! dpkg-query -W smartca-pkcs11 >/dev/null 2>&1 || fail "purged"
! find / -xdev \( -path /proc -o -path /tmp -o -path /checkout -o -path /home/nga \) -prune -o -name '*smartca[-.]*' -print -o -name smartca \
    -print | grep . || fail "still there"
echo "ok: removed and purged; nothing is left but the state of the person who used it, and the account of sharing"
