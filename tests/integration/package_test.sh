#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The Debian package and the RPM: what is in them, what they need, and that a slot is made and signs from their files.
#   package_test.sh BUILD    (whose emulator serves; packages are built in BUILD/package)
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$1
. tests/lib/emulator.sh
. tests/lib/programs.sh
. tests/lib/installed.sh
home_start
mkdir "$HOME_DIR/work"
cached() { sed -n "s/^$1:[A-Z]*=//p" "$BUILD/CMakeCache.txt"; }
# same WHAT EXPECTED ACTUAL
same() {
    [ "$2" = "$3" ] || fail "$1: $(diff <(echo "$2") <(echo "$3"))"
    echo "ok: $1"
}
package=$BUILD/package
ran cmake -S . -B "$package" -G Ninja -DSMARTCA_PACKAGE=ON -DCMAKE_C_COMPILER="$(cached CMAKE_C_COMPILER)" \
    -DCMAKE_C_COMPILER_LAUNCHER="$(cached CMAKE_C_COMPILER_LAUNCHER)"
ran cmake --build "$package"
# pack KIND UMASK: makes one into HOME_DIR.
pack() { (umask "$2" && cd "$package" && ran cpack -G "$1" -B "$HOME_DIR/packed"); }

for kind in DEB RPM; do
    pack $kind 022
    once=$(sha256sum <"$(echo "$HOME_DIR"/packed/*.${kind,,})")
    TZ=Asia/Ho_Chi_Minh LC_ALL=C.UTF-8 pack $kind 022
    same "the same files make the same $kind, in any time zone" "$once" \
        "$(sha256sum <"$(echo "$HOME_DIR"/packed/*.${kind,,})")"
done
deb=$(echo "$HOME_DIR"/packed/*.deb)
rpm=$(echo "$HOME_DIR"/packed/*.rpm)
# From here on one that somebody with a strict umask has made.
pack DEB 077
version=$(dpkg-parsechangelog -l conf/package/changelog -S Version)
architecture=$(dpkg --print-architecture)
same "its file name" "smartca-pkcs11_${version}_$architecture.deb" "${deb##*/}"

field() { dpkg-deb -f "$deb" "$1"; }
names() { tr ',' '\n' | sed 's/ *(.*//; s/^ *//' | sort; }
same "what it says of itself" "smartca-pkcs11 $version $architecture utils optional" \
    "$(for name in Package Version Architecture Section Priority; do field $name; done | xargs)"
needs="libc6 libcjson1 libcurl4 libinih1 liboath0 libp11-kit0 libsmartcols1 libssl3 libuuid1"
same "it depends on the libraries of all three files, the network half's too" "$needs" \
    "$(field Depends | names | xargs)"
same "it has scripts for the units of sharing, and no configuration file of its own" \
    "control md5sums postinst postrm prerm" \
    "$(dpkg-deb --ctrl-tarfile "$deb" | tar -t | sed 's,^\./,,' | grep . | sort | xargs)"
ran lintian --allow-root --fail-on error,warning "$deb"
same "lintian has no error and no warning" "" "$(grep -E '^[EW]:' "$HOME_DIR/work/out" || true)"

doc=/usr/share/doc/smartca-pkcs11
libraries=/usr/lib/$(gcc -print-multiarch)
expected=$({
    installed_files /usr "$libraries" .gz
    printf '%s\n' $doc/{copyright,changelog.Debian.gz,smartca-pkcs11.spdx.json} /usr/share/lintian/overrides/smartca-pkcs11
} | sort)
listed=$(dpkg-deb -c "$deb")
same "the files in it" "$expected" "$(echo "$listed" | awk '!/^d/ { print substr($6, 2) }' | sort)"
same "all of them root's, and readable for everybody" \
    "$(printf '%s\n' '-rw-r--r-- root/root' '-rwxr-xr-x root/root' 'drwxr-xr-x root/root')" \
    "$(echo "$listed" | awk '{ print $1, $2 }' | LC_ALL=C sort -u)"

root=$HOME_DIR/root
dpkg-deb -x "$deb" "$root"
sbom=$root$doc/smartca-pkcs11.spdx.json
same "the list of what is linked names what it depends on, in the versions of this computer" \
    "$(for name in $needs; do dpkg-query -W -f '${Package} ${Version}\n' "$name"; done | sort -u)" \
    "$(jq -r '.packages[] | select(.name != "smartca-pkcs11") | .name + " " + .versionInfo' "$sbom" | sort)"
same "and each of them as a dependency" "$(xargs -n 1 <<<"$needs" | sed 's/^/SPDXRef-/')" \
    "$(jq -r '.relationships[] | select(.relationshipType == "DEPENDS_ON") | .relatedSpdxElement' "$sbom" | sort)"

expected=$({
    installed_files /usr "$libraries" .gz
    printf '%s\n' $doc/smartca-pkcs11.spdx.json /usr/share/licenses/smartca-pkcs11/LICENSE
} | sort)
rpm() { command rpm --dbpath "$HOME_DIR/rpm" -qp "$@" "$rpm"; }
same "the files in the RPM" "$expected" \
    "$(rpm --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' | awk '!/^d/ { print $2 }' | sort)"
same "none of them a configuration file" "" "$(rpm -c)"
same "the folders it owns" "$(printf '%s\n' "$libraries/smartca-pkcs11" $doc /usr/share/licenses/smartca-pkcs11 | sort)" \
    "$(rpm --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' | awk '/^d/ { print $2 }' | sort)"
same "the RPM needs the network half's library" 1 "$(rpm --requires | grep -c '^libcurl.so.4()')"

# here COMMAND...: with the package's files in their places.
here() { over_usr "$root" "$@"; }
status=0
here true || status=$?
if [ $status = 77 ]; then
    echo "ok: packages; not run at their places, because this system mounts no overlay"
    exit 0
fi
ran here smartca --version
same "the tool runs" "smartca ${version%-*}" "$(cat "$HOME_DIR/work/out")"
ran here p11-kit list-modules
say '^smartca-pkcs11: libsmartca-pkcs11.so$'
printf '%s\n' 'correct horse' >"$HOME_DIR/pin"
printf '%s\n' 'battery staple' >"$HOME_DIR/so-pin"
chmod 600 "$HOME_DIR"/*pin
ran here smartca selfsigned create --user binh.tt --name 'Trần Thị Bình' --years 5 --pin-file "$HOME_DIR/pin" \
    --so-pin-file "$HOME_DIR/so-pin"
ran here smartca selfsigned export --user binh.tt --out "$HOME_DIR/binh.pem"
openssl x509 -in "$HOME_DIR/binh.pem" -pubkey -noout >"$HOME_DIR/binh.pub"
head -c 100000 /dev/urandom >"$HOME_DIR/document"
export PIN='correct horse'
ran here pkcs11-tool --module p11-kit-proxy.so --token-label binh.tt --login --pin env:PIN --sign \
    --mechanism SHA256-RSA-PKCS -i "$HOME_DIR/document" -o "$HOME_DIR/document.sig"
ran openssl dgst -sha256 -verify "$HOME_DIR/binh.pub" -signature "$HOME_DIR/document.sig" "$HOME_DIR/document"
echo "ok: p11-kit finds the module, a slot is made and signs a document, which OpenSSL verifies"

# shellcheck disable=SC2119 # no options
emulator_start
control phone '{"action":"approve"}' >/dev/null
account_write 'poll_interval = 0.1'
ran here smartca sign --slot 'Nguyễn Văn Ánh' "$HOME_DIR/document"
ran openssl cms -verify -binary -inform DER -in "$HOME_DIR/document.p7s" -content "$HOME_DIR/document" \
    -CAfile "$HOME_DIR/service/root.pem" -purpose any -out /dev/null
echo "ok: a document signed through the service, the network half in its place"
