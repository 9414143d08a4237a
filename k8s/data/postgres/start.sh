#!/bin/bash
# Starts Patroni for this pod. Passwords are files $PASSWORDS/<user>; they stand in the
# environment of Patroni alone.
set -euo pipefail
PASSWORDS=${PASSWORDS:-/etc/postgres-passwords}
PATRONI_SUPERUSER_PASSWORD=$(< "$PASSWORDS/superuser")
PATRONI_REPLICATION_PASSWORD=$(< "$PASSWORDS/replication")
PATRONI_REWIND_PASSWORD=$(< "$PASSWORDS/rewind")
export PATRONI_SUPERUSER_PASSWORD PATRONI_REPLICATION_PASSWORD PATRONI_REWIND_PASSWORD
umask 0077
exec patroni "${CONFIG:-/etc/patroni/patroni.yml}"
