# SPDX-License-Identifier: Apache-2.0
# The report as a table in Markdown: awk -f table.awk PREVIOUS.csv REPORT.csv
# A goal counts as missed when two runs one after the other missed it (performance.md 7.6).

function misses(target, median,    words) {
    if (split(target, words, " ") != 2)
        return 0
    return (words[1] == "<=" && median + 0 > words[2] + 0) || (words[1] == ">=" && median + 0 < words[2] + 0)
}

BEGIN {
    FS = ","
}

/^#/ {
    if (FNR != NR && $0 !~ /^# rounds of/)
        remarks[++remark_count] = substr($0, 3)
    next
}

$1 == "goal" {
    next
}

FNR == NR {
    missed_before[$1, $2] = misses($3, $4)
    next
}

{
    verdict = $3 !~ /^[<>]=/ ? "" : !misses($3, $4) ? "met" : missed_before[$1, $2] ? "missed twice" : "missed"
    rows[++row_count] = sprintf("| %s | %s | %s | %s | %s .. %s | %s | %s |", $1, $2, $3, $4, $5, $6, $7, verdict)
}

END {
    print "| goal | figure | target | median | min .. max | rounds | |"
    print "|---|---|---|---|---|---|---|"
    for (i = 1; i <= row_count; i++)
        print rows[i]
    print ""
    for (i = 1; i <= remark_count; i++)
        print remarks[i] "\n"
}
