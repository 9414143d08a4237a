#!/bin/bash
# The six-hourly dump of GX's database, with what it must hold when it is restored. It is
# kept only if it can be read to its end and has the rows of every table.
source "$(dirname "$0")/lib.sh"
DATABASE=${DATABASE:-gx_protocol}
begin dump "${PERIOD:-21600}"

# One snapshot for the dump and for what it is compared with; it lasts as long as this session.
coproc SESSION { psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --dbname "$DATABASE"; }
echo 'begin isolation level repeatable read read only; select pg_export_snapshot();' >&"${SESSION[1]}"
read -r -t 60 snapshot <&"${SESSION[0]}"
bash "$HERE/rows.sh" "$DATABASE" "$snapshot" > "$PART.rows"
pg_dump --format=custom --compress=6 --schema=public --snapshot="$snapshot" --file="$PART" "$DATABASE"
exec {SESSION[1]}>&-

bash "$HERE/check.sh" "$PART" "$PART.rows"
accept
rotate dump "${KEEP:-30}"
inspect dump || true
if [[ -d ${CERTIFICATES:-} ]]; then
  for file in "$CERTIFICATES"/*/tls.crt; do
    end=$(openssl x509 -noout -enddate -in "$file" | cut -d= -f2)
    name=$(basename "$(dirname "$file")")
    tell "certificate-$name" certificate "$name" gx_certificate_end_timestamp_seconds "$(date -d "$end" +%s)"
  done
fi
