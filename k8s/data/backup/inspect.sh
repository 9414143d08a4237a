#!/bin/bash
# Looks whether every kept backup is what was written, and names those that are not.
source "$(dirname "$0")/lib.sh"
for kind in dump base redis; do
  [[ ! -d $BACKUP/$kind ]] || inspect "$kind"
done
