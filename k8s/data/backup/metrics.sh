#!/bin/bash
# Figures of the backups, as files of text that node_exporter shows from $METRICS.
# Sourced by the other scripts; `metrics.sh names` prints one line of each.
set -euo pipefail

# The only place that names them: name, then what it means.
BACKUP_METRICS=(
  "gx_backup_success_timestamp_seconds When the last backup of this kind passed its check."
  "gx_backup_period_seconds How often one is to be made."
  "gx_backup_size_bytes Size of the last one."
  "gx_backup_refused 1 if the last attempt made no backup that passed its check."
  "gx_backup_damaged_files Kept files that are missing, truncated or altered."
  "gx_backup_verified_timestamp_seconds When one was restored and compared."
  "gx_backup_differences Tables that differed in the last comparison."
  "gx_certificate_end_timestamp_seconds When a TLS certificate of the stores ends."
)

# Writes figures of one subject, all at once: tell <file> <label> <value of it> <name> <figure> …
tell() {
  local file=$METRICS/$1.prom label="$2=\"$3\"" name figure line
  shift 3
  mkdir -p "$METRICS"
  while (($#)); do
    name=$1 figure=$2
    shift 2
    for line in "${BACKUP_METRICS[@]}"; do
      if [[ ${line%% *} == "$name" ]]; then
        printf '# HELP %s %s\n# TYPE %s gauge\n%s{%s} %s\n' "$name" "${line#* }" "$name" "$name" "$label" "$figure"
        continue 2
      fi
    done
    echo "metrics.sh: there is no figure $name" >&2
    return 1
  done > "$file.$$"
  mv "$file.$$" "$file"
}

if [[ ${BASH_SOURCE[0]} == "$0" && ${1-} == names ]]; then
  for line in "${BACKUP_METRICS[@]}"; do
    echo "${line%% *} 0"
  done
fi
