#!/bin/bash
# What a database has, for two to be compared: of each table its rows and a sum over a
# hash of every row, whatever their order. rows.sh <database> [exported snapshot]
set -euo pipefail
database=$1 snapshot=${2-}
export PGOPTIONS="-c bytea_output=hex -c datestyle=iso -c extra_float_digits=1 -c timezone=UTC -c jit=off"
{
  echo 'begin isolation level repeatable read read only;'
  [[ -z $snapshot ]] || echo "set transaction snapshot '$snapshot';"
  cat <<'SQL'
select format('select %L, count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) from public.%I t', tablename, tablename)
from pg_tables where schemaname = 'public' order by tablename \gexec
commit;
SQL
} | psql --no-psqlrc --quiet --tuples-only --no-align --field-separator ' ' --set ON_ERROR_STOP=1 --dbname "$database"
