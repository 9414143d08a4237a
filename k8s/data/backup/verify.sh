#!/bin/bash
# Restores a dump (the newest, or the one that is named) into a PostgreSQL of its own and
# compares it with what the database had in the dump's snapshot. verify.sh [name]
source "$(dirname "$0")/lib.sh"
BIN=${BIN:-/usr/lib/postgresql/15/bin}
name=${1:-$(kept dump | tail -n 1)}
dump=$BACKUP/dump/$name
[[ -n $name && -e $dump ]] || { say "there is no dump to verify" >&2; exit 1; }

place=$(mktemp -d)
cleanup() { "$BIN/pg_ctl" stop --pgdata "$place/data" --mode immediate --silent || true; rm -rf "$place"; }
trap cleanup EXIT
# Nobody can reach it but by a socket in a folder of its own.
"$BIN/initdb" --pgdata "$place/data" --username postgres --auth trust --encoding UTF8 --locale C.UTF-8 --no-sync > /dev/null
"$BIN/pg_ctl" start --pgdata "$place/data" --silent --wait --log "$place/log" \
  --options "-p 5432 -c listen_addresses= -c unix_socket_directories=$place -c fsync=off -c full_page_writes=off"
export PGHOST=$place PGPORT=5432 PGUSER=postgres PGPASSWORD= PGSSLMODE=disable
createdb restored
psql --no-psqlrc --quiet --dbname restored --command 'drop schema public'

# A dump that cannot be restored differs in everything.
differences=1
if [[ $(digest "$dump") != $(< "$dump.sha256") ]]; then
  say "differs: the file is not the one that was written" >&2
elif pg_restore --exit-on-error --single-transaction --no-owner --no-privileges --dbname restored "$dump"; then
  bash "$HERE/rows.sh" restored > "$place/rows"
  diff <(sort "$dump.rows") <(sort "$place/rows") > "$place/difference" || cat "$place/difference" >&2
  differences=$(sed -n 's/^[<>] \([^ ]*\) .*/\1/p' "$place/difference" | sort -u | wc -l)
fi
if ((differences)); then
  tell dump-differences kind dump gx_backup_differences "$differences"
  say "differs: $dump in $differences tables" >&2
  exit 1
fi
tell dump-differences kind dump gx_backup_differences 0
tell dump-verified kind dump gx_backup_verified_timestamp_seconds "$(date +%s)"
say "verified: $dump, $(wc -l < "$dump.rows") tables, $(awk '{ rows += $2 } END { print rows }' "$dump.rows") rows"
