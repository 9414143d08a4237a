#!/bin/bash
# A base backup, from which the archived WAL leads to any later moment. It is kept only if
# PostgreSQL's own tool finds every file as the manifest has it. WAL that no base backup
# needs any more is removed.
source "$(dirname "$0")/lib.sh"
BIN=${BIN:-/usr/lib/postgresql/15/bin}
begin base "${PERIOD:-86400}"
pg_basebackup --pgdata="$PART" --format=plain --wal-method=none --checkpoint=fast --manifest-checksums=SHA256
"$BIN/pg_verifybackup" --no-parse-wal --quiet "$PART"
accept
rotate base "${KEEP:-2}"
inspect base || true
oldest=$(kept base | head -n 1)
first=$(sed -n 's/^START WAL LOCATION: .* (file \([0-9A-F]*\))$/\1/p' "$BACKUP/base/$oldest/backup_label")
"$BIN/pg_archivecleanup" "$BACKUP/wal" "$first"
