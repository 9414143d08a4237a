#!/bin/bash
# Looks whether every kept backup is what was written, names those that are not, and ends
# with 1 if there are any.
source "$(dirname "$0")/lib.sh"
status=0
for kind in dump base redis; do
  [[ ! -d $BACKUP/$kind ]] || inspect "$kind" || status=1
done
exit $status
