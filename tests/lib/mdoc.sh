# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What manual pages in mdoc say, as lines that can be compared.

# mdoc_keys FILE: of a page with a ".Ss Section [NAME]" for each section and a ".It Ic KEY No = VALUE" for each key:
# section, key, choices, default, range, required - divided by tabs.
mdoc_keys() {
    awk -v OFS='\t' '
        function flush() { if (key) print section, key, choices, fallback, range, required; key = "" }
        /^\.S[sh] / { flush() }
        /^\.Ss Section \[/ { section = $3; gsub(/[][]/, "", section) }
        /^\.It Ic / {
            flush()
            key = $3; choices = $0; fallback = range = required = ""
            sub(/^\.It Ic [a-z_]* No = /, "", choices)
            if (choices ~ /Ar /) choices = ""
            gsub(/Cm | /, "", choices)
        }
        is_default { fallback = $2; is_default = 0 }
        /^Default:$/ { is_default = 1 }
        /^Required/ { required = "required" }
        match($0, /from [0-9.]+ to [0-9]+/) { range = substr($0, RSTART + 5, RLENGTH - 5) }
        END { flush() }' "$1"
}

# mdoc_verbs FILE: of the items between ".Sh VERBS" and ".Sh OPTIONS": the verb alone, and with each of its options and
# what the option takes.
mdoc_verbs() {
    awk '
        /^\.Sh / { is_there = $2 == "VERBS" }
        !is_there { next }
        /^\.It Xo/ { is_head = 1; verb = ""; next }
        /^\.Xc/ { is_head = 0 }
        /^\.It Ic / { sub(/^\.It Ic /, ""); print; next }
        is_head && /^\.Ic / { verb = substr($0, 5); print verb }
        is_head { print_options() }
        function print_options(   i) {
            for (i = 1; i < NF; i++)
                if ($i == "Fl" || $i == ".Fl")
                    print verb " -" $(i + 1) ($(i + 2) == "Ar" ? " " $(i + 3) : "")
        }' "$1"
}

# mdoc_options FILE: the options of ".Sh OPTIONS".
mdoc_options() {
    awk '/^\.Sh / { is_there = $2 == "OPTIONS" } is_there && /^\.It Fl / { print "-" $3 }' "$1"
}

# mdoc_commands FILE: the lines of ".Bd -literal" and ".Dl" that begin with smartca, continued ones as one.
mdoc_commands() {
    sed -e "s/\\\\e$/\\\\/; s/\\\\(aq/'/g; s/^\.Dl //" "$1" | sed -e ':a' -e '/\\$/ { N; s/\\\n *//; ta' -e '}' |
        sed -n 's/^smartca \([a-z].*\)/\1/p'
}

# mdoc_fields FILE VERB: the names that ".Sh JSON" lists for a verb.
mdoc_fields() {
    awk -v verb="$2" '/^\.[S]h / { is_json = $2 == "JSON" } /^\.It Ic / { is_verb = is_json && substr($0, 8) == verb; next }
        /^\.El/ { is_verb = 0 } is_verb && /^\.Cm / { sub(/^\.Cm /, ""); sub(/;.*/, ""); gsub(/[ ,]+/, "\n"); print }' "$1" |
        grep -v '^$'
}
