# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Databases of NSS. Sourced after slots.sh.

# database_make: a database in the folder nss that has the module, and trusts the slot's root.
database_make() {
    mkdir nss
    certutil -N -d sql:nss --empty-password
    ran modutil -force -dbdir sql:nss -add smartca -libfile "$MODULE"
    certutil -A -d sql:nss -n root -t C,C,C -i "$ROOT"
    cmp -s "$ROOT" "$CHAIN" || certutil -A -d sql:nss -n chain -t ,, -i "$CHAIN"
}
