#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The table client x slot that the last run of these tests has left, in Markdown.
#   table.sh BUILD
set -euo pipefail
printf '| client | slot | result | command, or why not |\n|---|---|---|---|\n'
sort -s -t '|' -k 1,1 "$1"/tests/clients/table/* | sed 's/|/ | /g; s/.*/| & |/'
