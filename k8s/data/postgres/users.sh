#!/bin/bash
# Makes the database gx_protocol and its users, or renews their passwords: each stands in a
# file $SECRETS/<user>, and nowhere else. Run as a superuser (PGHOST, PGUSER, …), any number
# of times. grants.sql says what they may do.
set -euo pipefail

SECRETS=${SECRETS:-/secrets}
DATABASE=${DATABASE:-gx_protocol}
HERE=$(dirname "$0")

psql() { command psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 "$@"; }

for file in "$SECRETS"/gx_*; do
  [[ -s $file ]] || { echo "users.sh: $file is empty" >&2; exit 1; }
  # The password stands in no argument and in no line of a log. Psql reads the file itself.
  psql --dbname postgres --set user="$(basename "$file")" --set file="$file" <<'SQL'
set log_statement = 'none';
set log_min_error_statement = 'panic';
set password_encryption = 'scram-sha-256';
\set password `cat :'file'`
select format('create role %I', :'user') where not exists (select from pg_roles where rolname = :'user') \gexec
alter role :"user" with login nosuperuser nocreatedb nocreaterole noreplication noinherit password :'password';
SQL
done

psql --dbname postgres --set database="$DATABASE" <<'SQL'
select format('create database %I owner gx_migrate', :'database')
  where not exists (select from pg_database where datname = :'database') \gexec
revoke all on database :"database" from public;
grant connect on database :"database" to gx_identity, gx_wallet, gx_tokenomics, gx_submitter, gx_projector,
  gx_bootstrap, gx_operator, gx_reconcile, gx_backup, gx_monitor;
-- The archive streams WAL and makes base backups; the exporter sees every figure.
alter role gx_backup with replication;
alter role gx_monitor with inherit;
grant pg_monitor to gx_monitor;
-- A user of an API that is taken over cannot take every connection.
alter role gx_identity connection limit 300;
alter role gx_wallet connection limit 300;
alter role gx_tokenomics connection limit 300;
SQL

psql --dbname "$DATABASE" <<'SQL'
alter schema public owner to gx_migrate;
-- Apart from GX's tables, so that neither rights nor dumps are about it.
create schema if not exists statistics;
create extension if not exists pg_stat_statements schema statistics;
grant usage on schema statistics to gx_monitor;
alter role gx_monitor set search_path = public, statistics;
SQL
