#!/bin/bash
# Makes a data directory that recovers to a point in time when PostgreSQL starts on it:
# recover.sh <empty folder> <time, such as 2025-11-13T10:15:30Z, or "latest">
# Started by `pg_ctl -D <folder>`, it is reached by a socket in that folder alone.
source "$(dirname "$0")/lib.sh"
folder=$1 target=$2
base=
for name in $(kept base); do
  # One is of use for what came after its end, when its digest was written.
  [[ $target != latest && $(date -r "$BACKUP/base/$name.sha256" +%s%3N) -ge $(date -d "$target" +%s%3N) ]] || base=$name
done
[[ -n $base ]] || { say "no base backup ended before $target" >&2; exit 1; }
[[ $(digest "$BACKUP/base/$base") == $(< "$BACKUP/base/$base.sha256") ]] || { say "damaged: $base" >&2; exit 1; }
mkdir -p "$folder"
cp -a "$BACKUP/base/$base/." "$folder/"
chmod 0700 "$folder"
mkdir -p "$folder/pg_wal"
touch "$folder/recovery.signal"
{
  # The newest segment is not full: what there is of it counts.
  echo "restore_command = 'cp \"$BACKUP/wal/%f\" \"%p\" 2> /dev/null || cp \"$BACKUP/wal/%f.partial\" \"%p\"'"
  [[ $target == latest ]] || echo "recovery_target_time = '$(date -u -d "$target" '+%F %T.%6N+00')'"
  echo "recovery_target_timeline = 'latest'"
  echo "recovery_target_action = 'promote'"
  # Not what Patroni told the primary: here are other paths, less memory, no standby and no key.
  echo "hba_file = '$folder/pg_hba.conf'"
  echo "ident_file = '$folder/pg_ident.conf'"
  echo "listen_addresses = ''"
  echo "unix_socket_directories = '$folder'"
  echo "ssl = off"
  echo "shared_buffers = '${SHARED_BUFFERS:-64MB}'"
  echo "synchronous_standby_names = ''"
} >> "$folder/postgresql.auto.conf"
say "$folder: base backup $base, recovers to $target"
