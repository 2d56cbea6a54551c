#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes an SPDX 2.3 document: the program, and each package of the distribution that holds a library its
# files are linked with, in the version they were linked with. What those need in turn, the distribution says.
#   sbom.sh OUT NAME VERSION SECONDS FILE...     (SECONDS: when it was made, since 1970)
set -euo pipefail
out=$1 name=$2 version=$3 made=$(date -u -d "@$4" +%Y-%m-%dT%H:%M:%SZ)
shift 4

# Libraries the files name themselves, with the path they were found at.
libraries() {
    for file in "$@"; do
        ldd "$file" >"$found"
        readelf -d "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -v '^ld-' | while read -r soname; do
            awk -v soname="$soname" '$1 == soname { print $3; n = 1 } END { exit !n }' "$found"
        done
    done | xargs realpath | sort -u
}

# owner PATH: package, version and architecture, as the package manager has them.
owner() {
    if command -v dpkg-query >/dev/null; then
        # Where /lib is a link to /usr/lib, packages may still say /lib.
        package=$({ dpkg-query -S "$1" "${1#/usr}" 2>/dev/null || true; } | sed -n '1s/: .*//p')
        [ -n "$package" ] || { echo "sbom.sh: no package owns $1, so the list would lack it" >&2; return 1; }
        dpkg-query -W -f '${Package} ${Version} ${Architecture}\n' "$package"
    else
        rpm -qf --qf '%{NAME} %{VERSION}-%{RELEASE} %{ARCH}\n' "$1"
    fi
}

found=$(mktemp)
trap 'rm -f "$found"' EXIT
names=$(libraries "$@")
packages=$(while read -r library; do owner "$library" || exit 1; done <<<"$names" | sort -u)
system=$(sed -n 's/^ID=//p' /etc/os-release | tr -d '"')
kind=rpm
! command -v dpkg-query >/dev/null || kind=deb

exec >"$out"
cat <<END
{
  "spdxVersion": "SPDX-2.3",
  "dataLicense": "CC0-1.0",
  "SPDXID": "SPDXRef-DOCUMENT",
  "name": "$name-$version",
  "documentNamespace": "https://spdx.org/spdxdocs/$name-$version-$(printf %s "$packages" | sha256sum | cut -c 1-32)",
  "creationInfo": { "created": "$made", "creators": ["Tool: $name-$version-sbom.sh"] },
  "packages": [
    {
      "SPDXID": "SPDXRef-Package",
      "name": "$name",
      "versionInfo": "$version",
      "downloadLocation": "NOASSERTION",
      "filesAnalyzed": false,
      "licenseDeclared": "Apache-2.0"
    }
END
echo "$packages" | while read -r package built architecture; do
    cat <<END
    ,{
      "SPDXID": "SPDXRef-$(echo "$package" | tr -c 'A-Za-z0-9.\n-' -)",
      "name": "$package",
      "versionInfo": "$built",
      "downloadLocation": "NOASSERTION",
      "filesAnalyzed": false,
      "externalRefs": [{
        "referenceCategory": "PACKAGE-MANAGER",
        "referenceType": "purl",
        "referenceLocator": "pkg:$kind/$system/$package@$(echo "$built" | sed 's/%/%25/g; s/+/%2B/g; s/:/%3A/g')?arch=$architecture"
      }]
    }
END
done
cat <<END
  ],
  "relationships": [
    { "spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-Package" }
END
echo "$packages" | while read -r package _; do
    printf '    ,{ "spdxElementId": "SPDXRef-Package", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": "SPDXRef-%s" }\n' \
        "$(echo "$package" | tr -c 'A-Za-z0-9.\n-' -)"
done
printf '  ]\n}\n'
