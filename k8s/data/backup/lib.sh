#!/bin/bash
# What the scripts share: where backups are, how one is taken in, checked and rotated.
# A backup is a file <time> (UTC) of a kind's folder, with <time>.sha256 beside it.
set -euo pipefail

BACKUP=${BACKUP:-/backup}
METRICS=${METRICS:-$BACKUP/metrics}
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$HERE/metrics.sh"

say() { echo "$(date -u +%FT%TZ) $*"; }

# Begins one of a kind: names it, and tells that it was refused if the script ends early.
begin() {
  KIND=$1 PERIOD=$2
  FOLDER=$BACKUP/$KIND
  NAME=$(date -u +%Y%m%dT%H%M%S.%3NZ)
  PART=$FOLDER/.$NAME.part
  mkdir -p "$FOLDER"
  trap refuse EXIT
}

refuse() {
  say "refused: this $KIND did not pass its check and is not kept" >&2
  rm -rf "$PART" "$PART".*
  tell "$KIND-refused" kind "$KIND" gx_backup_refused 1
}

# Takes in what was checked: from now on it is a backup.
accept() {
  local size
  size=$(du -sb "$PART" | cut -f1)
  (cd "$FOLDER" && digest "$(basename "$PART")") > "$FOLDER/$NAME.sha256"
  sync
  mv "$PART" "$FOLDER/$NAME"
  [[ ! -e $PART.rows ]] || mv "$PART.rows" "$FOLDER/$NAME.rows"
  trap - EXIT
  tell "$KIND" kind "$KIND" gx_backup_success_timestamp_seconds "$(date +%s)" \
    gx_backup_period_seconds "$PERIOD" gx_backup_size_bytes "$size"
  tell "$KIND-refused" kind "$KIND" gx_backup_refused 0
  say "kept $FOLDER/$NAME, $size bytes"
}

# One SHA-256 over a file, or over every file of a folder with its name.
digest() {
  if [[ -d $1 ]]; then
    (cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum) | sha256sum | cut -d' ' -f1
  else
    sha256sum < "$1" | cut -d' ' -f1
  fi
}

# The names of a kind's backups, oldest first.
kept() { find "$BACKUP/$1" -maxdepth 1 -name '*.sha256' -printf '%f\n' 2> /dev/null | sed 's/\.sha256$//' | sort; }

# Tells how many of a kind are not what was written; fails if any.
inspect() {
  local kind=$1 name damaged=0
  for name in $(kept "$kind"); do
    if [[ ! -e $BACKUP/$kind/$name || $(digest "$BACKUP/$kind/$name") != $(< "$BACKUP/$kind/$name.sha256") ]]; then
      say "damaged: $BACKUP/$kind/$name" >&2
      damaged=$((damaged + 1))
    fi
  done
  tell "$kind-damaged" kind "$kind" gx_backup_damaged_files "$damaged"
  ((damaged == 0))
}

# Leaves the newest so many of a kind.
rotate() {
  local name
  for name in $(kept "$1" | head -n "-$2"); do
    rm -rf "${BACKUP:?}/$1/$name" "$BACKUP/$1/$name".*
    say "rotated $BACKUP/$1/$name"
  done
}
