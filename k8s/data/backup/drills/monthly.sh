#!/bin/bash
# Monthly: an environment is taken down to nothing and made anew from what is in the
# repository, the secret store and a copy of its backups, on the chain that goes on.
# NAMESPACE=backend-testnet ./monthly.sh
source "$(dirname "$0")/lib.sh"
confirm "Is $NAMESPACE the environment that may be taken down, and do its people know?"
run "a dump of now" job postgres-dump
run "backups are what was written" in_archive bash /opt/backup/inspect.sh
run "the newest dump is restored and compared" job backup-verify
run "a copy of the backups is drawn" draw_copy
run "every balance is the chain's" kubectl -n "$NAMESPACE" exec deploy/gx-tools -- /usr/local/bin/gx reconcile
run "GX stops" kubectl -n "$NAMESPACE" scale deploy --all --replicas=0
confirm "Is the namespace deleted, with all its volumes (kubectl delete namespace $NAMESPACE)?"
confirm "Scenario 4 from $COPY, steps 1 to 6 (runbooks/4-cluster-failure.md): is the database restored, and does GX run?"
run "everything is ready" kubectl -n "$NAMESPACE" wait --for=condition=available --timeout=15m deploy --all
run "every balance is the chain's again" kubectl -n "$NAMESPACE" exec deploy/gx-tools -- /usr/local/bin/gx reconcile
confirm "Does a person log in, and does a transfer succeed?"
confirm "Did BackupAbsent and PostgreSQLUnavailable fire, and are they resolved?"
run "a dump of what was restored" job postgres-dump
run "it is restored and compared" job backup-verify
confirm "Was it done within eight hours, and is each surprise written down?"
finish
