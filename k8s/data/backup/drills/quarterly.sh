#!/bin/bash
# Quarterly: the copy of the backups in another region makes a cluster there, whose
# kubectl context is CONTEXT. NAMESPACE=backend-mainnet CONTEXT=… COPY=… ./quarterly.sh
source "$(dirname "$0")/lib.sh"
CONTEXT=${CONTEXT:?the cluster in the other region}
kubectl() { command kubectl --context "$CONTEXT" "$@"; }
confirm "Does $CONTEXT belong to nobody's traffic?"
run "the cluster answers" kubectl get nodes
run "the copy of the backups is there, and less than a day old" test -n "$(find "$COPY" -mtime -1)"
confirm "Scenario 4 in $CONTEXT from $COPY, steps 1 to 6: is the database restored there, and does GX run?"
run "the old backups are what was written" in_archive env BACKUP=/backup/before bash /opt/backup/inspect.sh
run "a dump of what was restored" job postgres-dump
run "it is restored and compared there" job backup-verify
run "peers, identities, contract and clocks" kubectl -n "$NAMESPACE" exec deploy/gx-tools -- /usr/local/bin/gx preflight
run "every balance is the chain's" kubectl -n "$NAMESPACE" exec deploy/gx-tools -- /usr/local/bin/gx reconcile
confirm "Do documents open that were uploaded before (keys are there)?"
confirm "Do alerts of that cluster reach PagerDuty and Slack?"
confirm "Is the cluster taken down again, and are its volumes deleted?"
finish
