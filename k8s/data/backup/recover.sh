#!/bin/bash
# Makes a data directory that recovers to a point in time when PostgreSQL starts on it:
# recover.sh <empty folder> <time, such as 2025-11-13T10:15:30Z, or "latest">
source "$(dirname "$0")/lib.sh"
folder=$1 target=$2
base=
for name in $(kept base); do
  # The name is the time at which it began; one that ended later than the target is no use.
  began=${name:0:4}-${name:4:2}-${name:6:5}:${name:11:2}:${name:13:2}Z
  [[ $target != latest && $(date -d "$began" +%s) -ge $(date -d "$target" +%s) ]] || base=$name
done
[[ -n $base ]] || { say "no base backup is older than $target" >&2; exit 1; }
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
} >> "$folder/postgresql.auto.conf"
say "$folder: base backup $base, recovers to $target"
