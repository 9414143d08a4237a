#!/bin/bash
# A drill is a list of steps. What a machine can do it does; what only people can see they
# confirm. Everything stands in a log with times.
set -euo pipefail
NAMESPACE=${NAMESPACE:?which environment}
LOG=${LOG:-drill-$(date -u +%Y%m%dT%H%M%SZ).log}
COPY=${COPY:-backup.tar}
BEGAN=$SECONDS

note() { echo "$(date -u +%FT%TZ) $*" | tee -a "$LOG"; }
# run <title> <command …>
run() {
  note "step: $1"
  "${@:2}" 2>&1 | tee -a "$LOG" || { note "FAILED: $1"; exit 1; }
  note "done: $1"
}
# confirm <question>
confirm() {
  local answer
  printf '%s [yes/no] ' "$1"
  read -r answer || answer=
  note "asked: $1 answered: $answer"
  [[ $answer == yes ]] || { note "FAILED: $1"; exit 1; }
}
finish() { note "the drill took $(((SECONDS - BEGAN) / 60)) minutes; keep $LOG"; }
# in_archive <command …>: beside the backups
in_archive() { kubectl -n "$NAMESPACE" exec postgres-backup-0 -c archive -- "$@"; }
# Draws the copy of the backups that is kept elsewhere: $COPY. WAL may grow meanwhile, which tar calls 1.
draw_copy() { in_archive bash -c 'tar -c -C /backup . || (($? == 1))' > "$COPY" && tar -tf "$COPY" > /dev/null; }
# job <CronJob>: runs it now, and tells what it said
job() {
  local name=drill-$1-$(date -u +%H%M%S)
  kubectl -n "$NAMESPACE" create job "$name" --from="cronjob/$1" &&
    kubectl -n "$NAMESPACE" wait --for=condition=complete --timeout=3h "job/$name" &&
    kubectl -n "$NAMESPACE" logs "job/$name"
}
