#!/bin/sh
# Makes the image's file tree: tree.sh PROGRAM FOLDER. Apart from the Containerfile, so
# that a test makes and runs the same tree where no image can be built.
set -eu
program=$1 tree=$2
umask 022

install -D -m 0755 "$program" "$tree/usr/local/bin/gx"
# The libraries at the paths by which they are found, the loader among them.
ldd "$program" | grep -o '/[^ ]*' | sort -u | while read -r library; do
  install -D -m 0755 "$(readlink -f "$library")" "$tree$library"
done
install -D -m 0644 /etc/ssl/certs/ca-certificates.crt "$tree/etc/ssl/certs/ca-certificates.crt"
echo 'hosts: files dns' > "$tree/etc/nsswitch.conf"
echo 'gx:x:65532:65532:gx:/:/usr/local/bin/gx' > "$tree/etc/passwd"
echo 'gx:x:65532:' > "$tree/etc/group"
