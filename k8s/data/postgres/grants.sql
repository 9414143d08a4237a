-- Who may do what in GX's database. Run as its owner, gx_migrate, after `gx migrate`, any
-- number of times: afterwards the rights are these and no others.
--
-- One block a table: whoever adds a table adds a block, or the last statement fails.
-- The projector alone writes balances, and nobody but identity sees to people; what an API
-- may change of a wallet is what it holds for a command that waits, and its owner.
-- gx_bootstrap does what a first start does; gx_operator runs the tools of operators.
begin;

-- Whoever changes rights at once waits, and does not fail half-way.
select pg_advisory_xact_lock(hashtext('gx grants'));

revoke all on all tables in schema public from public, gx_identity, gx_wallet, gx_tokenomics,
    gx_submitter, gx_projector, gx_bootstrap, gx_operator, gx_reconcile, gx_backup, gx_monitor;
revoke all on all sequences in schema public from public, gx_identity, gx_wallet, gx_tokenomics,
    gx_submitter, gx_projector, gx_bootstrap, gx_operator, gx_reconcile, gx_backup, gx_monitor;
revoke create on schema public from public;
grant usage on schema public to gx_identity, gx_wallet, gx_tokenomics, gx_submitter, gx_projector,
    gx_bootstrap, gx_operator, gx_reconcile, gx_backup, gx_monitor;

-- The backup and the tools see everything, and reconcile what it compares.
grant select on all tables in schema public to gx_backup, gx_operator;
grant select on all sequences in schema public to gx_backup;

-- The schema's own list.
grant select on seaql_migrations to gx_identity, gx_wallet, gx_tokenomics, gx_submitter, gx_projector,
    gx_bootstrap, gx_reconcile;

-- Fixed rows, here, of lanes and of partitions: the first worker makes them, or bootstrap.
-- An API only reads them, and ends where there are none yet; whoever takes commands shares
-- this one by a lock, for which PostgreSQL wants the right to change a column. The schema keeps
-- its id what it is.
grant select, update (id) on control to gx_identity, gx_wallet, gx_tokenomics;
grant select, insert, update (id) on control to gx_bootstrap;
grant select, insert, update on control to gx_submitter, gx_projector;
grant update on control to gx_operator;
grant select on control to gx_reconcile;

-- The pipeline.
grant select on lanes to gx_identity, gx_wallet, gx_tokenomics;
grant select, insert on lanes to gx_bootstrap;
grant select, insert, update on lanes to gx_submitter, gx_projector;
grant update on lanes to gx_operator;
grant select on lanes to gx_reconcile;

grant select on projector_state to gx_identity, gx_wallet, gx_tokenomics;
grant select, insert on projector_state to gx_submitter, gx_bootstrap;
grant select, insert, update, delete on projector_state to gx_projector;
grant insert, update, delete on projector_state to gx_operator;
grant select on projector_state to gx_reconcile;

grant select, insert on operations to gx_identity, gx_wallet, gx_tokenomics, gx_bootstrap;
grant select, insert, update on operations to gx_submitter, gx_projector;
grant select on operations to gx_reconcile;

grant select, insert on outbox to gx_identity, gx_wallet, gx_tokenomics, gx_bootstrap;
grant select, insert, update, delete on outbox to gx_submitter;
grant select, update, delete on outbox to gx_projector;
grant select on outbox to gx_reconcile;
grant select (voided, abandoned) on outbox to gx_monitor;

grant select, insert, update, delete on envelopes to gx_submitter;
grant select, delete on envelopes to gx_projector;

-- The read model. What waiting commands hold is written by whoever takes them, and by the
-- submitter where it takes one back.
grant select, update (reserved_qirat, user_id) on wallets to gx_identity;
grant select, update (reserved_qirat) on wallets to gx_wallet, gx_tokenomics, gx_submitter, gx_bootstrap;
grant select, insert, update, delete on wallets to gx_projector;
grant insert, update, delete on wallets to gx_operator;
grant select on wallets to gx_reconcile;

grant select on entries to gx_identity, gx_wallet, gx_tokenomics, gx_submitter, gx_reconcile, gx_bootstrap;
grant select, insert, delete on entries to gx_projector;
grant insert, delete on entries to gx_operator;

grant select on credits to gx_wallet, gx_submitter, gx_reconcile;
grant select, insert, delete on credits to gx_projector;
grant insert, delete on credits to gx_operator;

grant select on supply to gx_identity, gx_wallet, gx_tokenomics, gx_reconcile, gx_bootstrap;
grant select, insert, update, delete on supply to gx_projector;
grant insert, update, delete on supply to gx_operator;

grant select on countries to gx_identity, gx_wallet, gx_tokenomics, gx_submitter, gx_reconcile, gx_bootstrap;
grant select, insert, update, delete on countries to gx_projector;
grant insert, update, delete on countries to gx_operator;

grant select on blocks to gx_identity, gx_wallet, gx_tokenomics, gx_reconcile, gx_bootstrap;
grant select, insert, delete on blocks to gx_projector;
grant insert, delete on blocks to gx_operator;

grant select on transactions to gx_identity, gx_wallet, gx_tokenomics, gx_reconcile, gx_bootstrap;
grant select, insert, delete on transactions to gx_projector;
grant insert, delete on transactions to gx_operator;

-- Accounts as everybody sees them: identity says whose one is, the projector that it is open.
grant select, insert, update (user_id, masked_name) on directory to gx_identity;
grant select on directory to gx_wallet, gx_tokenomics, gx_submitter, gx_reconcile, gx_bootstrap;
grant select, insert, update (type, country, opened) on directory to gx_projector;
grant insert, update, delete on directory to gx_operator;

-- People.
grant select, insert, update on users to gx_identity;
grant select on users to gx_wallet, gx_tokenomics;
grant select, update (status, account) on users to gx_projector;
grant select, insert on users to gx_bootstrap;

grant select, insert, update, delete on registrations to gx_identity;

grant select, insert, update, delete on sessions to gx_identity;
grant select on sessions to gx_wallet, gx_tokenomics;

grant select, insert, update, delete on login_failures to gx_identity;
grant update, delete on login_failures to gx_operator;

grant select, insert, update, delete on login_networks to gx_identity;
grant update, delete on login_networks to gx_operator;

grant select, insert on documents to gx_identity;

grant select, insert, update on verifications to gx_identity;
grant select, update (state, reason, known_account, operation, decided_ms, decided_by) on verifications to gx_projector;

-- The audit log: everybody adds lines, nobody takes one away, and the projector's process
-- chains them.
grant select, insert on audit_log to gx_identity, gx_wallet, gx_tokenomics, gx_submitter, gx_bootstrap;
grant select, insert, update (sequence, previous_hash, hash) on audit_log to gx_projector;
grant insert on audit_log to gx_operator;

grant select, update on audit_seal to gx_projector;
grant select on audit_seal to gx_identity, gx_wallet, gx_tokenomics;

grant usage on sequence audit_log_id_seq to gx_identity, gx_wallet, gx_tokenomics, gx_submitter,
    gx_projector, gx_bootstrap, gx_operator;
grant usage on sequence outbox_position_seq to gx_identity, gx_wallet, gx_tokenomics, gx_submitter,
    gx_bootstrap;

-- `gx projector rebuild` makes its tables in a schema of its own.
do $$ begin execute format('grant create on database %I to gx_operator', current_database()); end $$;

-- A table about which nothing is said above is nobody's, and gx would fail on it: say so.
do $$ declare forgotten text; begin
    select string_agg(relname, ', ') into forgotten from pg_class
    where relkind = 'r' and relnamespace = 'public'::regnamespace
      and not has_any_column_privilege('gx_identity', oid, 'select')
      and not has_any_column_privilege('gx_projector', oid, 'select');
    if forgotten is not null then
        raise exception 'no rights are given on %', forgotten;
    end if;
end $$;

commit;
