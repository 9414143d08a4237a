#!/bin/bash
# Streams the primary's WAL into $BACKUP/wal until it is told to stop, so that nothing is
# ahead of the archive by more than what is on its way. The slot makes the primary keep
# what is not here yet; after a failover Patroni has it on the new primary.
source "$(dirname "$0")/lib.sh"
SLOT=${SLOT:-wal_archive}
mkdir -p "$BACKUP/wal" "$METRICS"
child=
trap '[[ -z $child ]] || { kill "$child" 2> /dev/null && wait "$child"; }; exit 0' TERM INT
while true; do
  pg_receivewal --create-slot --if-not-exists --slot="$SLOT" || true
  pg_receivewal --directory="$BACKUP/wal" --slot="$SLOT" --synchronous --no-loop &
  child=$!
  wait "$child" || say "the stream ended; it is taken up again" >&2
  sleep "${AGAIN_S:-5}" &
  child=$!
  wait "$child"
done
