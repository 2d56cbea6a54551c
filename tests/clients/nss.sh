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

# others FOLDER: the slots in that database whose tokens ask for a PIN, but for the slot in hand.
others() {
    modutil -dbdir "sql:$1" -list smartca | awk -v label="$LABEL" '/^  Slot: / { slot = substr($0, 9) }
        /^  Token Name: / { name = substr($0, 15); sub(/ +$/, "", name) }
        /^  Login Type: Login required/ && name != "" && name != label { print slot }'
}
