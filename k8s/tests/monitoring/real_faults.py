"""Faults that are put into a running GX, and the alerts of each group of them.

What is in one group is put in at once and cured at once. Afterwards GX is as before.
"""

import contextlib
import threading
import time
import uuid

from peer import Peer
from servers import run

# Of each identity's certificate, while none is renewed.
DAYS_LEFT = {"partner": 1, "admin": 5}


def fault(steps):
    """A fault from a generator: what comes before its `yield` puts it in, what comes after cures it."""
    @contextlib.contextmanager
    def put_in(system):
        running = steps(system)
        next(running)
        try:
            yield
        finally:
            assert next(running, None) is None

    return put_in


@contextlib.contextmanager
def again_and_again(act, every_s=0.2):
    """Does something meanwhile."""
    ended = threading.Event()

    def work():
        while not ended.wait(every_s):
            act()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@fault
def another_sum(system):
    """Somebody takes coins out of the read model, and the nightly comparison finds it."""
    change = "update supply set total_qirat = total_qirat %s 5000000 where bucket = 'SYSTEM_GX_POOL'"
    system.sql(change % "-")
    good, told = system.jobs.run()
    assert not good and "DIFFER" in told, told
    yield
    system.sql(change % "+")
    good, told = system.jobs.run()
    assert good, told


@fault
def no_schedule(system):
    """Nobody starts the nightly comparison; the next one that is started ends this."""
    system.jobs.missed(27 * 3600)
    yield


@fault
def a_block_that_does_not_fit(system):
    """A partition met a block that it cannot apply."""
    system.sql("update projector_state set stopped = 'put by a test' where partition = 1")
    yield
    system.sql("update projector_state set stopped = null where partition = 1")


@fault
def a_chain_that_is_locked(system):
    """Somebody holds the head of the audit log's chain while old lines wait for their places."""
    with system.transaction() as other:
        other.execute("select * from audit_seal for update")
        system.sql("insert into audit_log (at_ms, action, subject, outcome, request_id, client) "
                   "values (0, 'test', '', 'OK', '', '')")
        # The first that waits tells the lag, and others may have come before.
        system.sql("update audit_log set at_ms = %s where sequence is null", [int(time.time() * 1000) - 400_000])
        yield


@fault
def no_authority(system):
    """The certificate authority is away while certificates run out."""
    system.authority.end()
    for identity, days in DAYS_LEFT.items():
        place = system.identities / identity
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-subj", f"/CN={identity}", "-days", days, "-keyout", place / "key.pem", "-out", place / "cert.pem"])
    yield
    system.authority.start()


@fault
def no_peer(system):
    """The last peer's stream to the contract ends."""
    system.peer.end()
    yield
    system.peer = Peer(system.contract)


@fault
def a_database_that_refuses(system):
    """One service may not log in at the database any more, while it is called."""
    system.sql("alter role tokenomics nologin")
    system.sql("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'tokenomics'")
    with again_and_again(lambda: system.staff.code("gx.ledger.v1.LedgerService/GetLedger")):
        yield
        system.sql("alter role tokenomics login")


@fault
def lines_that_are_refused(system):
    """The audit log does not take one kind of line, of which there comes one."""
    system.sql("create function refuse() returns trigger language plpgsql as $$ begin raise 'refused'; end $$")
    system.sql("create trigger refuse before insert on audit_log for each row "
               "when (new.outcome = 'TOKEN_MISSING') execute function refuse()")
    with system.caller("wallet") as nobody:
        assert nobody.code("gx.wallet.v1.WalletService/GetWallet") == "UNAUTHENTICATED"
    yield
    system.sql("drop function refuse cascade")


@fault
def no_ledger(system):
    """The ledger does not answer."""
    with system.standing_still(system.devnet):
        yield


@fault
def no_submitter(system):
    """The submitter stands still while commands come, ten thousand of them."""
    with system.standing_still(system.submitter):
        system.sql(
            "insert into outbox (id, lane, request_digest, body, created_ms) "
            "select gen_random_uuid(), 'partner/15', '', '', 0 from generate_series(1, 10001)")
        yield
        system.sql("delete from outbox where request_digest = ''")


def command(identity, digest_bytes=32, sender_bytes=0):
    """A contract.Command as bytes: a transfer, well-formed only in so far as asked for."""
    def field(number, value):
        length, size = [], len(value)
        while size > 127:
            length.append(size & 127 | 128)
            size >>= 7
        return bytes([number << 3 | 2, *length, size]) + value

    transfer = field(13, field(1, b"x" * sender_bytes))
    return field(1, identity.bytes) + field(2, bytes(digest_bytes)) + transfer


@fault
def commands_that_nobody_checked(system):
    """One is larger than orderers take, one cannot even be voided, and one has its outcome already."""
    large, malformed = uuid.uuid4(), uuid.uuid4()
    ((settled,),) = system.sql("select id from operations where number is not null order by id limit 1")
    bodies = [(large, command(large, sender_bytes=11 << 20)), (malformed, command(malformed, digest_bytes=31)),
              (settled, command(settled))]
    for number, (identity, body) in enumerate(bodies):
        values = [identity, bytes(32), f"partner/{number}"]
        system.sql("insert into operations (id, request_digest, lane, kind, state, created_ms) "
                   "values (%s, %s, %s, 0, 1, 0) on conflict do nothing", values)
        system.sql("insert into outbox (id, request_digest, lane, body, created_ms) values (%s, %s, %s, %s, 0)",
                   [*values, body])
    yield
    system.sql("update outbox set body = %s where id = %s", [command(malformed), malformed])
    # Another process takes the lane, which looks again.
    system.sql("update lanes set token = null, lease_until_ms = 0 where name = 'partner/1'")


@fault
def no_projector(system):
    """The only projector stands still."""
    with system.standing_still(system.projector):
        yield


@fault
def locks_in_another_order(system):
    """Somebody takes locks in another order than the projector, which has a trigger that locks."""
    system.sql("""
        create function lock_both() returns trigger language plpgsql as $$ begin
            perform pg_advisory_xact_lock(1);
            perform pg_sleep(0.02);
            perform pg_advisory_xact_lock(2);
            return new;
        end $$""")
    system.sql("create trigger lock_both before update on projector_state for each row "
               "when (old.block is distinct from new.block) execute function lock_both()")
    with system.transaction() as other:
        # The projector shall be the one that notices.
        other.execute("set deadlock_timeout = '1min'")
        other.commit()

        def other_way_round():
            other.execute("select pg_advisory_xact_lock(2)")
            other.execute("select pg_advisory_xact_lock(1)")
            other.rollback()

        with again_and_again(other_way_round, every_s=0), system.people():
            yield
    system.sql("drop function lock_both cascade")


@fault
def a_state_that_cannot_be_read(system):
    """A peer has transactions run and then does not answer what they ask."""
    with again_and_again(lambda: system.peer.ask(system.certificate)):
        yield


# What is put in at once by name: faults, their alerts, and those that follow and are not told.
GROUPS = {
    "independent of each other": (
        [another_sum, no_schedule, a_block_that_does_not_fit, a_chain_that_is_locked, no_authority, no_peer,
         a_database_that_refuses],
        {"SupplyChanged", "ReconcileDifference", "ReconcileMissing", "ProjectorStopped", "AuditLogNotSealed",
         "LedgerCertificateEnds", "LedgerCertificateEndsSoon", "EnrolmentFails", "ChaincodeWithoutPeers",
         "ApiErrorRateHigh"}, set()),
    "no ledger": ([no_ledger], {"FabricConnectionLost"}, {"LaneStalled"}),
    "no submitter": ([no_submitter], {"LaneStalled", "CommandsQueue", "TargetDown"}, set()),
    "commands that nobody checked": (
        [commands_that_nobody_checked, a_state_that_cannot_be_read],
        {"CommandVoided", "SettledTwice", "LaneHeld", "ChaincodeFails"}, set()),
    "no projector": ([no_projector], {"ProjectorAbsent", "TargetDown"}, set()),
    "locks": ([locks_in_another_order], {"DatabaseContention", "ProjectorLagHigh"}, {"LaneStalled"}),
}
