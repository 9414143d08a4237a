//! Numbers and their bounds.

use gx_contract::lane::PARTNER_LANES_MAX;

use super::super::Config;

pub(super) fn check(config: &Config, faults: &mut Vec<String>) {
    for (name, value, least, most) in ranges(config) {
        if value < least || value > most {
            faults.push(format!("{name}: must be {least} to {most}, is {value}"));
        }
    }
    let limits = &config.limits;
    let bursts = [
        ("caller", limits.caller_per_s, limits.caller_burst),
        ("address", limits.address_per_s, limits.address_burst),
        ("public", limits.public_per_s, limits.public_burst),
    ];
    for (name, per_s, burst) in bursts {
        if burst < per_s {
            faults.push(format!(
                "limits.{name}_burst: must be at least limits.{name}_per_s"
            ));
        }
    }
}

/// Every number with its bounds.
#[rustfmt::skip]
fn ranges(config: &Config) -> Vec<(&'static str, u64, u64, u64)> {
    let Config { gateway, redis, fabric, devnet, chaincode, lanes, projector, intake, token, session, login, limits, enroll, .. } = config;
    let size = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
    vec![
        ("gateway.trusted_hops", gateway.trusted_hops.into(), 0, 16),
        ("gateway.per_s", gateway.per_s.into(), 1, 10_000_000),
        ("redis.timeout_ms", redis.timeout_ms, 1, 10_000),
        ("fabric.in_flight", size(fabric.in_flight), 1, 10_000),
        ("fabric.connect_ms", fabric.connect_ms, 100, 60_000),
        ("fabric.evaluate_ms", fabric.evaluate_ms, 100, 300_000),
        ("fabric.endorse_ms", fabric.endorse_ms, 100, 300_000),
        ("fabric.submit_ms", fabric.submit_ms, 100, 300_000),
        ("devnet.batch_timeout_ms", devnet.batch_timeout_ms, 1, 60_000),
        ("devnet.max_message_count", size(devnet.max_message_count), 1, 10_000),
        ("chaincode.threads", size(chaincode.threads), 1, 256),
        ("chaincode.answer_ms", chaincode.answer_ms, 1_000, 300_000),
        ("lanes.partner", lanes.partner.into(), 1, PARTNER_LANES_MAX.into()),
        ("lanes.batch_commands", size(lanes.batch_commands), 1, 5_000),
        ("lanes.lease_ms", u64::try_from(lanes.lease_ms).unwrap_or(0), 1_000, 600_000),
        ("lanes.poll_ms", lanes.poll_ms, 10, 60_000),
        ("lanes.status_ms", lanes.status_ms, 100, 60_000),
        ("projector.partitions", projector.partitions.into(), 1, 256),
        ("projector.group_blocks", size(projector.group_blocks), 1, 1_024),
        ("intake.waiting", size(intake.waiting), 1, 1_000_000),
        ("intake.batch_waiting", size(intake.batch_waiting), 500, 1_000_000),
        ("intake.fold", size(intake.fold), 1, 1_000),
        ("intake.timeout_ms", intake.timeout_ms, 100, 60_000),
        ("token.ttl_s", token.ttl_s, 60, 86_400),
        ("session.idle_s", session.idle_s, token.ttl_s, 31_536_000),
        ("session.lifetime_s", session.lifetime_s, session.idle_s, 31_536_000),
        ("session.retry_s", session.retry_s, 0, 3_600),
        ("login.concurrency", size(login.concurrency), 1, 64),
        ("login.waiting", size(login.waiting), 0, 10_000),
        ("login.failures", login.failures.into(), 1, 1_000),
        ("login.lock_s", login.lock_s, 1, 86_400),
        ("login.contact_failures", login.contact_failures.into(), login.failures.into(), 100_000),
        ("login.contact_wait_s", login.contact_wait_s, 1, 86_400),
        ("limits.caller_per_s", limits.caller_per_s.into(), 1, 1_000_000),
        ("limits.address_per_s", limits.address_per_s.into(), 1, 1_000_000),
        ("limits.public_per_s", limits.public_per_s.into(), 1, 1_000_000),
        ("limits.message_bytes", size(limits.message_bytes), 4_096, 4_194_304),
        ("limits.concurrency", size(limits.concurrency), 1, 100_000),
        ("limits.timeout_ms", limits.timeout_ms, 100, 300_000),
        ("limits.connections", size(limits.connections), 1, 100_000),
        ("limits.address_connections", size(limits.address_connections), 1, 100_000),
        ("limits.streams", limits.streams.into(), 1, 10_000),
        ("limits.watches", size(limits.watches), 1, 1_000_000),
        ("limits.caller_watches", size(limits.caller_watches), 1, 1_000_000),
        ("limits.connection_idle_s", limits.connection_idle_s, 1, 86_400),
        ("limits.connection_age_s", limits.connection_age_s, 1, 86_400),
        ("limits.drain_ms", limits.drain_ms, 0, 300_000),
        ("enroll.renew_left_percent", enroll.renew_left_percent.into(), 1, 90),
        ("enroll.check_s", enroll.check_s, 1, 86_400),
    ]
}
