#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Verbs, options and keys of the configuration are the same in the program, the manual pages, the sample and the
# completion. What the program has it says itself: smartca help --json.
#   docs_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$(cd "$1" && pwd)
. tests/lib/mdoc.sh
export LC_ALL=C.UTF-8
unset SMARTCA_PKCS11_LOG SMARTCA_PKCS11_MODULE XDG_CONFIG_HOME XDG_STATE_HOME
SMARTCA=$BUILD/remote/cli/smartca
man=conf/man
HOME_DIR=$(mktemp -d)
trap 'rm -rf "$HOME_DIR"' EXIT
export HOME=$HOME_DIR
failed=0

# same WHAT EXPECTED-FILE FOUND-FILE: line by line, in any order; names what is missing and what is too much.
same() {
    local lacking
    sort -u "$2" >"$HOME_DIR/left"
    sort -u "$3" >"$HOME_DIR/right"
    lacking=$(comm -3 "$HOME_DIR/left" "$HOME_DIR/right" | sed -e 's/^\t/  not in the program: /;t' -e 's/^/  missing: /')
    [ -s "$HOME_DIR/left" ] || lacking="  nothing to compare with"
    if [ -z "$lacking" ]; then
        echo "ok: $1, $(wc -l <"$HOME_DIR/left") lines"
    else
        printf 'FAILED: %s\n%s\n' "$1" "$lacking"
        failed=1
    fi
}
# empty WHAT TEXT: the text is what is wrong.
empty() {
    if [ -z "$2" ]; then
        echo "ok: $1"
    else
        printf 'FAILED: %s\n%s\n' "$1" "$2"
        failed=1
    fi
}
help=$HOME_DIR/help.json
"$SMARTCA" help --json >"$help"

echo "== keys of the configuration"
jq -r '.configuration[] | [.sections[0], .name, (.choices // [] | join("|")), .default // "",
    (if .maximum then "\(.minimum) to \(.maximum)" else "" end), (if .required_in == [] then "" else "required" end)] | @tsv' \
    "$help" >"$HOME_DIR/keys"
mdoc_keys $man/smartca-pkcs11.conf.5 >"$HOME_DIR/manual"
same "section, key, choices, default, range, required: $man/smartca-pkcs11.conf.5" "$HOME_DIR/keys" "$HOME_DIR/manual"

sample=conf/smartca-pkcs11.conf.sample
sed -n 's/^;\{0,1\}\[\([a-z]*\).*/[\1/p; s/^;\{0,1\}\([a-z_]*\) = *\(.*\)/\1\t\2/p; s/^;\{0,1\}\([a-z_]*\) =$/\1\t/p' $sample |
    awk -F'\t' -v OFS='\t' '/^\[/ { section = substr($0, 2); next } { print section, $1, $2 }' >"$HOME_DIR/sample"
cut -f 1,2 "$HOME_DIR/keys" >"$HOME_DIR/names"
cut -f 1,2 "$HOME_DIR/sample" >"$HOME_DIR/found"
same "section, key: $sample" "$HOME_DIR/names" "$HOME_DIR/found"
awk -F'\t' -v OFS='\t' '$4 != "" { print $1, $2, $4 }' "$HOME_DIR/keys" | sort >"$HOME_DIR/defaults"
awk -F'\t' 'NR == FNR { has[$1, $2] = 1; next } ($1, $2) in has' "$HOME_DIR/defaults" "$HOME_DIR/sample" >"$HOME_DIR/found"
same "defaults: $sample" "$HOME_DIR/defaults" "$HOME_DIR/found"
sed 's/^;\(\[\|[a-z_]* =\)/\1/' $sample | sed "s,^log = .*,log = stderr," >"$HOME_DIR/all.conf"
chmod 600 "$HOME_DIR/all.conf"
export SMARTCA_PKCS11_CONF=$HOME_DIR/all.conf
empty "the sample with every key set is a configuration without a mistake" "$("$SMARTCA" account list 2>&1 >/dev/null)"
empty "it has an account" "$("$SMARTCA" account list | grep -q '^work ' || echo "  none")"
unset SMARTCA_PKCS11_CONF

echo "== verbs and options"
jq -r '.verbs[] | .name as $verb | $verb, (.options[] | "\($verb) --\(.name)\(if .value then " " + .value else "" end)")' \
    "$help" >"$HOME_DIR/verbs"
mdoc_verbs $man/smartca.1 | grep -vx help >"$HOME_DIR/found"
same "verb, option, value: $man/smartca.1" "$HOME_DIR/verbs" "$HOME_DIR/found"
jq -r '(.options, .verbs[].options)[] | "--" + .name' "$help" >"$HOME_DIR/options"
mdoc_options $man/smartca.1 >"$HOME_DIR/found"
same "what each option is: $man/smartca.1" "$HOME_DIR/options" "$HOME_DIR/found"
empty "options in the order of the alphabet" "$(grep -vxE -- '--(json|help|version)' "$HOME_DIR/found" | sort -c 2>&1)"

# checked WHERE: of commands on standard input, those that are no verb's, or have an option that is not the verb's.
checked() {
    local line verb option
    while IFS= read -r line; do
        line=${line%%|*}
        verb=$(cut -d ' ' -f 1,2 <<<"$line")
        jq -e --arg verb "$verb" 'any(.verbs[]; .name == $verb)' "$help" >/dev/null || verb=${line%% *}
        [ "$verb" != help ] || continue
        jq -e --arg verb "$verb" 'any(.verbs[]; .name == $verb)' "$help" >/dev/null || { echo "  no verb: $line"; continue; }
        while read -r option; do
            jq -e --arg verb "$verb" --arg option "${option#--}" \
                'any((.options, (.verbs[] | select(.name == $verb).options))[]; .name == $option)' "$help" >/dev/null ||
                echo "  no option $option: $line"
        done < <(grep -oE -- ' --[a-z-]+' <<<"$line")
    done
}
for family in account audit econtract selfsigned; do # "pending" alone is a verb
    jq -r --arg family "$family" '.verbs[].name | select(startswith($family + " "))' "$help" >"$HOME_DIR/verbs"
    "$SMARTCA" help $family --json | jq -r '(.verbs // [])[].name' >"$HOME_DIR/found"
    same "help $family --json" "$HOME_DIR/verbs" "$HOME_DIR/found"
done
empty "each verb has an example" "$(jq -r '.verbs[] | select(.examples == []) | .name' "$help")"
empty "examples of the help" "$(jq -r '.verbs[].examples[]' "$help" | checked)"
while IFS= read -r line; do
    eval "set -- $line"
    "$SMARTCA" "$@" --help | grep -qE '^usage: smartca|"examples"' || empty "smartca $line --help" "  is not taken"
done < <(jq -r '.verbs[].examples[] | gsub("\\*"; "x")' "$help")
for page in "$man"/*.[157]; do
    empty "commands of $page" "$(mdoc_commands "$page" | checked)"
done
empty "commands of README.md" "$(sed -e ':a' -e '/\\$/ { N; s/\\\n *//; ta' -e '}' README.md | awk '/^```/ { on = !on } on' |
    sed -n 's/ *#.*//; s/^smartca \([a-z].*\)/\1/p' | checked)"

echo "== completion"
# ask WORD...: what bash offers for the last one.
ask() {
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_TYPE=9 COMPREPLY=()
    COMP_POINT=${#COMP_LINE}
    _smartca smartca "${!#}" "${*: -2:1}"
    [ ${#COMPREPLY[@]} = 0 ] || printf '%s\n' "${COMPREPLY[@]}"
}
set +eu # the package's own functions
. /usr/share/bash-completion/bash_completion
. conf/completion/smartca
{
    jq -r '.verbs[].name' "$help"
    echo help
} | cut -d ' ' -f 1 >"$HOME_DIR/verbs"
ask smartca "" >"$HOME_DIR/found"
same "first words" "$HOME_DIR/verbs" "$HOME_DIR/found"
jq -r '.verbs[].name | select(contains(" "))' "$help" >"$HOME_DIR/verbs"
sort -u "$HOME_DIR/found" | while read -r family; do ask smartca "$family" "" | sed "s/^/$family /"; done |
    grep -Fxf "$HOME_DIR/verbs" >"$HOME_DIR/seconds"
same "second words" "$HOME_DIR/verbs" "$HOME_DIR/seconds"
jq -r '.options as $every | .verbs[] | .name as $verb | (.options, $every)[] |
    "\($verb) --\(.name) \(if .value then "value" else "flag" end)"' "$help" >"$HOME_DIR/options"
jq -r '.verbs[].name' "$help" | while read -r verb; do
    # shellcheck disable=SC2086 # one word or two
    ask smartca $verb -- | while read -r option; do
        # After a flag come options again, after an option with a value its value.
        kind=$([ "$(ask smartca $verb "$option" --)" ] && echo flag || echo value)
        echo "$verb $option $kind"
    done
done >"$HOME_DIR/found"
same "options of each verb, and which take a value" "$HOME_DIR/options" "$HOME_DIR/found"
printf '%s\n' '[smartca]' 'sp_id = x' 'sp_password = file:/none' '[account work]' 'user_id = 012345678901' \
    '[account home-2]' 'user_id = 012345678901' >"$HOME_DIR/accounts.conf"
chmod 600 "$HOME_DIR/accounts.conf"
printf '%s\n' home-2 work >"$HOME_DIR/names"
for verb in "account remove" status "audit show --account"; do
    # shellcheck disable=SC2086
    SMARTCA_PKCS11_CONF=$HOME_DIR/accounts.conf ask "$SMARTCA" $verb "" >"$HOME_DIR/found"
    same "accounts after $verb" "$HOME_DIR/names" "$HOME_DIR/found"
done
(umask 077 && echo 123456 >"$HOME_DIR/pin")
"$SMARTCA" selfsigned create --user 'an "b" c' --name An --years 1 --key ec:p256 --pin-file "$HOME_DIR/pin" \
    --so-pin-file "$HOME_DIR/pin" >/dev/null
printf '%s\n' 'an\ \"b\"\ c' >"$HOME_DIR/names"
for verb in "sign --slot" "selfsigned reissue --user"; do
    # shellcheck disable=SC2086
    ask "$SMARTCA" $verb "" >"$HOME_DIR/found"
    same "labels after $verb" "$HOME_DIR/names" "$HOME_DIR/found"
done
echo 'an "b" c' >"$HOME_DIR/names"
ask "$SMARTCA" sign --slot "'an" >"$HOME_DIR/found"
same "labels after a quotation mark" "$HOME_DIR/names" "$HOME_DIR/found"
empty "nothing is said where there is nothing" "$(SMARTCA_PKCS11_CONF=$HOME_DIR/none ask "$SMARTCA" status "" 2>&1)"
touch "$HOME_DIR/a contract.pdf"
printf '%s\n' "$HOME_DIR/a contract.pdf" >"$HOME_DIR/names"
for verb in sign verify "sign --pin-file" "selfsigned import --from"; do
    # shellcheck disable=SC2086
    ask smartca $verb "$HOME_DIR/a" | grep -v '\.conf$' >"$HOME_DIR/found"
    same "files after $verb" "$HOME_DIR/names" "$HOME_DIR/found"
done
set -eu

echo "== JSON"
echo content >"$HOME_DIR/file"
issuer=$HOME_DIR/issuer.pem
"$SMARTCA" selfsigned export --user 'an "b" c' --out "$issuer" >/dev/null
SMARTCA_PKCS11_CONF=$HOME_DIR/accounts.conf "$SMARTCA" account list --json >"$HOME_DIR/account list"
"$SMARTCA" slots --json >"$HOME_DIR/slots"
"$SMARTCA" doctor --json >"$HOME_DIR/doctor" || true # it may find something
"$SMARTCA" sign "$HOME_DIR/file" --pin-file "$HOME_DIR/pin" --json >"$HOME_DIR/sign"
"$SMARTCA" verify "$HOME_DIR/file" --ca-file "$issuer" --json >"$HOME_DIR/verify"
for verb in "account list" slots doctor sign verify; do
    jq -r '.[0] | keys[]' "$HOME_DIR/$verb" >"$HOME_DIR/names"
    mdoc_fields $man/smartca.1 "$verb" >"$HOME_DIR/found"
    same "JSON of $verb: $man/smartca.1" "$HOME_DIR/names" "$HOME_DIR/found"
done

echo "== manual pages"
empty "mandoc finds nothing" "$(mandoc -T lint -W warning "$man"/*.[157] 2>&1)"
for page in "$man"/*.[157]; do
    empty "groff formats $page" "$(man -l --warnings=w "$page" 2>&1 >/dev/null)"
done
# Pages that are named, in pages and in messages.
{
    sed -n 's/^\.Xr \(smartca[^ ]*\) \([1-8]\).*/\1.\2/p' "$man"/*.[157]
    git ls-files -- 'module/*.[ch]' 'remote/*.[ch]' conf README.md | grep -v '^conf/po/' |
        xargs grep -ohE 'smartca[a-z0-9.-]*\([1-8]\)' | sed 's/(/./; s/)//'
} | sort -u | while read -r page; do [ -f "$man/$page" ] || echo "  $page"; done >"$HOME_DIR/found"
empty "each page that is named is there" "$(cat "$HOME_DIR/found")"
git ls-files -- 'module/*.c' 'remote/*.c' | xargs grep -ohE '"SMARTCA_PKCS11_[A-Z]+"' | tr -d '"' >"$HOME_DIR/variables"
sed -n '/^\.Sh ENVIRONMENT/,/^\.Sh FILES/s/^\.It Ev \(SMARTCA_.*\)/\1/p' $man/smartca-pkcs11.7 >"$HOME_DIR/found"
same "environment variables: $man/smartca-pkcs11.7" "$HOME_DIR/variables" "$HOME_DIR/found"
grep -oE 'CKM_[A-Z0-9_]+' module/token/mechanism.c >"$HOME_DIR/mechanisms"
grep -oE 'CKM_[A-Z0-9_]+' $man/smartca-pkcs11.7 >"$HOME_DIR/found"
same "mechanisms: $man/smartca-pkcs11.7" "$HOME_DIR/mechanisms" "$HOME_DIR/found"
# What a page must have, may it have more.
grep -oE 'CKR_[A-Z_]+' module/token/failure.c | sort -u >"$HOME_DIR/codes"
grep -oE 'CKR_[A-Z_]+' $man/smartca-pkcs11.7 >"$HOME_DIR/found"
empty "codes: $man/smartca-pkcs11.7" "$(grep -vxFf "$HOME_DIR/found" "$HOME_DIR/codes")"
exit $failed
