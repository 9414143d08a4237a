#!/bin/bash
# The six-hourly copy of Redis: a snapshot as a replica would get it, kept only if Redis'
# own tool can read it. $REDIS_CLI is how to call redis-cli, with host, TLS and user.
source "$(dirname "$0")/lib.sh"
begin redis "${PERIOD:-21600}"
${REDIS_CLI:-redis-cli} --rdb "$PART" > /dev/null
[[ -s $PART ]] || { say "it is empty" >&2; exit 1; }
redis-check-rdb "$PART" > "$PART.check" || { cat "$PART.check" >&2; exit 1; }
rm "$PART.check"
accept
rotate redis "${KEEP:-30}"
inspect redis || true
