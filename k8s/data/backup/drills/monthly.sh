#!/bin/bash
# Monthly: the environment is made anew in a namespace of its own from what is in the
# repository, the secret store and the backups. NAMESPACE=backend-testnet ./monthly.sh
source "$(dirname "$0")/lib.sh"
confirm "Is $NAMESPACE the environment that may be taken down, and do its people know?"
run "backups are what was written" in_archive bash /opt/backup/inspect.sh
run "the newest dump is restored and compared" job backup-verify
run "GX stops" kubectl -n "$NAMESPACE" scale deploy --all --replicas=0
confirm "Scenario 4, steps 1 to 5 (runbooks/4-cluster-failure.md): is the database restored?"
run "GX starts" kubectl -n "$NAMESPACE" scale deploy --all --replicas=1
run "everything is ready" kubectl -n "$NAMESPACE" wait --for=condition=available --timeout=15m deploy --all
run "every balance is the chain's" kubectl -n "$NAMESPACE" exec deploy/gx-tools -- /usr/local/bin/gx reconcile
confirm "Does a person log in, and does a transfer succeed?"
confirm "Did BackupTooOld, PostgreSQLUnavailable and ProjectorLagHigh fire and resolve?"
run "a dump of what was restored" job postgres-dump
confirm "Was it done within eight hours, and is each surprise written down?"
finish
