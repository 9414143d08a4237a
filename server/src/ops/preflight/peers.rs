//! Who speaks, and whether the peers are there and let them.

use std::sync::Arc;

use gx_contract::ChainRole;
use gx_fabric::{
    client::{FabricLedger, Identities},
    msp::IdentityFiles,
};
use tokio::net::{TcpStream, lookup_host};

use super::Check;
use crate::ops::table::moment;

/// Certificates that end within this time are told.
const SOON_MS: i64 = 7 * 24 * 60 * 60 * 1_000;
/// A peer so many blocks behind the others is told.
const LAG_BLOCKS: u64 = 10;

/// Each identity: its certificate's role and time.
pub(super) fn identities(identities: &Identities, now_ms: i64) -> Vec<Check> {
    let given: Vec<_> = identities.named().collect();
    let roles = [
        ("partner", ChainRole::Partner),
        ("admin", ChainRole::Admin),
        ("super_admin", ChainRole::SuperAdmin),
    ];
    let checks = roles.into_iter().map(|(name, role)| {
        let what = format!("identity {name}");
        match given.iter().find(|(given, _)| *given == name) {
            Some((_, files)) => identity(what, files, role, now_ms),
            None => Check::warning(what, "not given: its lanes cannot be moved from here"),
        }
    });
    checks.collect()
}

fn identity(what: String, files: &Arc<IdentityFiles>, role: ChainRole, now_ms: i64) -> Check {
    let identity = files.current();
    let certificate = identity.certificate();
    let wanted = role.attribute();
    if certificate.role() != Some(role) {
        let found = certificate.attribute("gxc_role").unwrap_or("none");
        return Check::failed(what, format!("gxc_role is {found} and must be {wanted}"));
    }
    let ends_ms = certificate.not_after_ms();
    let seen = format!(
        "{wanted} of {}, until {}",
        identity.msp_id(),
        moment(ends_ms)
    );
    if now_ms > ends_ms || now_ms < certificate.not_before_ms() {
        Check::failed(what, format!("{seen}: not valid now"))
    } else if ends_ms - now_ms < SOON_MS {
        Check::warning(what, format!("{seen}: ends soon"))
    } else {
        Check::ok(what, seen)
    }
}

/// Each peer: its name, its port, its TLS, and whether it gives the channel's blocks.
pub(super) async fn look(client: &FabricLedger) -> Vec<Check> {
    let mut checks = Vec::new();
    for address in client.peers() {
        let found = lookup_host(address)
            .await
            .map(|found| found.collect::<Vec<_>>());
        let named = found.as_ref().map(Vec::len);
        checks.push(Check::of(format!("{address} name"), named, |count| {
            format!("{count} addresses")
        }));
        if found.is_err() {
            continue;
        }
        let reached = tokio::time::timeout(client.connect_timeout(), TcpStream::connect(address));
        let reached = reached
            .await
            .map_err(|_| "no answer in time".to_owned())
            .and_then(|reached| reached.map_err(|error| error.to_string()));
        checks.push(Check::of(format!("{address} port"), reached, |_| {
            "open".to_owned()
        }));
    }
    let looks = client.look().await;
    let highest = looks
        .iter()
        .filter_map(|look| look.height.as_ref().ok())
        .max();
    let highest = highest.copied().unwrap_or(0);
    for look in looks {
        let address = &look.address;
        checks.push(Check::of(format!("{address} TLS"), look.connected, |()| {
            "trusted, and of that name".to_owned()
        }));
        let channel = format!("{address} channel");
        checks.push(match look.height {
            Ok(height) if height + LAG_BLOCKS < highest => Check::warning(
                channel,
                format!("{height} blocks, another peer has {highest}"),
            ),
            Ok(height) => Check::ok(channel, format!("{height} blocks")),
            Err(error) => Check::failed(channel, error.to_string()),
        });
    }
    checks
}
