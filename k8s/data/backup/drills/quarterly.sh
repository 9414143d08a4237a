#!/bin/bash
# Quarterly: the copy of the backups in another region makes a cluster there, whose
# kubectl context is CONTEXT. NAMESPACE=backend-mainnet CONTEXT=… ./quarterly.sh
source "$(dirname "$0")/lib.sh"
CONTEXT=${CONTEXT:?the cluster in the other region}
kubectl() { command kubectl --context "$CONTEXT" "$@"; }
confirm "Does $CONTEXT belong to nobody's traffic?"
run "the cluster answers" kubectl get nodes
confirm "Is the copy of the backups less than a day old?"
confirm "Scenario 4 in $CONTEXT, steps 1 to 5: is the database restored there?"
run "backups there are what was written" in_archive bash /opt/backup/inspect.sh
run "the newest dump is restored and compared there" job backup-verify
run "peers, identities, contract and clocks" kubectl -n "$NAMESPACE" exec deploy/gx-tools -- /usr/local/bin/gx preflight
run "every balance is the chain's" kubectl -n "$NAMESPACE" exec deploy/gx-tools -- /usr/local/bin/gx reconcile
confirm "Do documents open that were uploaded before (keys are there)?"
confirm "Do alerts of that cluster reach PagerDuty and Slack?"
confirm "Is the cluster taken down again, and its volumes deleted?"
finish
