#!/bin/bash
# Whether a file is a whole dump: it can be read to its end, and every table that its
# list of rows names is in it. check.sh <dump> <rows>
set -euo pipefail
dump=$1 rows=$2
fail() { echo "check.sh: $dump: $*" >&2; exit 1; }

[[ -s $dump ]] || fail "it is empty"
[[ -s $rows ]] || fail "it is not said what it must hold"
list=$(pg_restore --list "$dump") || fail "its contents cannot be read"
while read -r table _; do
  grep -q " TABLE DATA public $table " <<< "$list" || fail "the rows of $table are missing"
done < "$rows"
# Reads every row of it.
pg_restore --file=/dev/null "$dump" || fail "it ends too early or is damaged"
