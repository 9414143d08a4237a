//! Proofs of a password, judged by contact and by the network that they come from,
//! whether anybody has the contact or not, so that a lock tells nothing about who
//! exists.
//!
//! Failures in a row lock the contact for their own network: strangers lock
//! themselves out, not the contact's owner. Against guesses from many networks,
//! failures of the contact from anywhere are counted too, and beyond a higher bound
//! proofs from networks that never proved the password wait for each other: one is
//! judged, then none for a while. Networks from which the owner came lately do not
//! wait, so nobody keeps the owner out (NIST SP 800-63B, 5.2.2, on throttling).

use std::{net::IpAddr, time::Duration};

use gx_proto::gx::common::v1::Reason;
use sea_orm::DatabaseTransaction;

use super::{
    attempt_rows::{self, KEEP_MS, Rows},
    contact::Contact,
};
use crate::{
    app::App,
    config::Login,
    error::{Error, Result},
};

/// How long a network from which the password was proven does not wait.
const KNOWN_MS: i64 = 90 * 24 * 60 * 60 * 1_000;

/// Decides about a proof: what was proven, or the refusal to tell and to record.
/// The decision falls under a lock and after the password was verified, so guesses
/// made at once learn no more than guesses made in a row: once somebody is locked
/// out or waits, right and wrong are answered alike.
///
/// # Errors
/// If the database fails. A refusal is no error: the transaction must commit.
pub(super) async fn judge_in<T>(
    tx: &DatabaseTransaction,
    app: &App,
    now_ms: i64,
    client: IpAddr,
    contact: &Contact,
    proven: Option<T>,
) -> Result<Result<T>> {
    let key = attempt_rows::key(&app.secrets, contact, &network(client));
    let mut rows = attempt_rows::lock_in(tx, now_ms, &key).await?;
    let judged = judge(&app.config.login, now_ms, &mut rows, proven);
    attempt_rows::write_in(tx, rows).await?;
    attempt_rows::forget_in(tx, now_ms).await?;
    Ok(judged)
}

/// The refusal of contact or password.
pub(super) fn wrong() -> Error {
    Error::rejected(Reason::CredentialsWrong, "contact or password is wrong")
}

fn locked(rest_ms: i64) -> Error {
    let rest = Duration::from_millis(u64::try_from(rest_ms).unwrap_or(0));
    Error::rejected(Reason::LoginLocked, "too many failures in a row").retry_after(rest)
}

/// Decides, and leaves in the rows what follows for the next proof.
fn judge<T>(login: &Login, now_ms: i64, rows: &mut Rows, proven: Option<T>) -> Result<T> {
    rows.age(now_ms);
    let locked_ms = rows.network.locked_until_ms - now_ms;
    let waits_ms = rows.contact.locked_until_ms - now_ms;
    if locked_ms > 0 {
        return Err(locked(locked_ms.max(waits_ms)));
    }
    match proven {
        Some(proven) if waits_ms <= 0 || rows.is_known(now_ms) => {
            rows.succeed(now_ms);
            Ok(proven)
        }
        // What waits counts, right or wrong, from a known network or not: else the
        // answers would tell which of them it was.
        _ if waits_ms > 0 => {
            rows.fail_here(login, now_ms);
            Err(locked(waits_ms))
        }
        _ => {
            rows.fail_here(login, now_ms);
            rows.fail_anywhere(login, now_ms);
            Err(wrong())
        }
    }
}

impl Rows {
    /// Failures that are too old do not count.
    fn age(&mut self, now_ms: i64) {
        if now_ms - self.network.failed_ms > KEEP_MS {
            self.network.failures = 0;
        }
        if now_ms - self.contact.last_ms > KEEP_MS {
            self.contact.failures = 0;
        }
    }

    fn is_known(&self, now_ms: i64) -> bool {
        now_ms - self.network.succeeded_ms < KNOWN_MS
    }

    fn succeed(&mut self, now_ms: i64) {
        let network = &mut self.network;
        (network.failures, network.succeeded_ms) = (0, now_ms);
        network.forget_ms = now_ms + KNOWN_MS;
    }

    /// The last failure that is allowed locks, and the count begins anew after that.
    fn fail_here(&mut self, login: &Login, now_ms: i64) {
        let network = &mut self.network;
        network.failures += 1;
        if i64::from(network.failures) >= i64::from(login.failures) {
            network.failures = 0;
            network.locked_until_ms = now_ms + millis(login.lock_s);
        }
        network.failed_ms = now_ms;
        network.forget_ms = network.forget_ms.max(now_ms + KEEP_MS);
    }

    /// From the last failure that is allowed on, each makes others wait.
    fn fail_anywhere(&mut self, login: &Login, now_ms: i64) {
        let contact = &mut self.contact;
        contact.failures = contact.failures.saturating_add(1);
        if i64::from(contact.failures) >= i64::from(login.contact_failures) {
            contact.locked_until_ms = now_ms + millis(login.contact_wait_s);
        }
        contact.last_ms = now_ms;
    }
}

fn millis(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX / 2_000) * 1_000
}

/// The network of an address. An IPv4 /24 is the least that is routed and what one
/// provider hands out in turn; an IPv6 /56 is what one customer gets.
fn network(client: IpAddr) -> Vec<u8> {
    match client.to_canonical() {
        IpAddr::V4(address) => address.octets()[..3].to_vec(),
        IpAddr::V6(address) => address.octets()[..7].to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::Config,
        identity::entity::{login_failure, login_network},
    };

    const HERE: &str = "192.0.2.1";

    /// Logins of one contact from several networks, a second apart.
    struct Contacted {
        login: Login,
        now_ms: i64,
        contact: login_failure::Model,
        networks: std::collections::HashMap<Vec<u8>, login_network::Model>,
    }

    impl Contacted {
        fn new() -> Self {
            Self {
                login: Config::default().login,
                now_ms: KNOWN_MS * 2,
                contact: attempt_rows::no_failure(Vec::new(), 0),
                networks: std::collections::HashMap::new(),
            }
        }

        fn proof(&mut self, address: &str, right: bool) -> (Reason, Option<u64>) {
            let key = network(address.parse().unwrap());
            let row = self.networks.get(&key).cloned();
            let mut rows = Rows {
                network: row.unwrap_or_else(|| attempt_rows::no_login(Vec::new(), key.clone(), 0)),
                contact: self.contact.clone(),
            };
            let judged = judge(&self.login, self.now_ms, &mut rows, right.then_some(()));
            self.contact = rows.contact;
            self.networks.insert(key, rows.network);
            self.now_ms += 1_000;
            match judged {
                Ok(()) => (Reason::Unspecified, None),
                Err(Error::Rejected(told)) => {
                    (told.reason, told.retry_after.map(|after| after.as_secs()))
                }
                Err(error) => panic!("{error}"),
            }
        }

        fn fail_from_everywhere(&mut self, times: u8) {
            for number in 0..times {
                let told = self.proof(&format!("198.51.{number}.1"), false);
                assert_eq!(told.0, Reason::CredentialsWrong);
            }
        }
    }

    const IN: (Reason, Option<u64>) = (Reason::Unspecified, None);
    const WRONG: (Reason, Option<u64>) = (Reason::CredentialsWrong, None);

    #[test]
    fn a_stranger_locks_the_network_of_the_stranger_alone() {
        let mut contact = Contacted::new();
        for _ in 0..10 {
            assert_eq!(contact.proof("198.51.100.7", false), WRONG);
        }
        for address in ["198.51.100.7", "198.51.100.8"] {
            assert_eq!(contact.proof(address, true).0, Reason::LoginLocked);
        }
        assert_eq!(contact.proof(HERE, true), IN);
    }

    #[test]
    fn guesses_from_many_networks_wait_for_each_other() {
        let mut contact = Contacted::new();
        contact.fail_from_everywhere(100);
        for right in [true, false] {
            let told = contact.proof("203.0.113.1", right);
            assert_eq!(told.0, Reason::LoginLocked, "{right}");
        }
        contact.now_ms += 60_000;
        assert_eq!(contact.proof("203.0.113.1", false), WRONG);
        assert_eq!(contact.proof("203.0.114.1", true).0, Reason::LoginLocked);
        contact.now_ms += 60_000;
        assert_eq!(contact.proof("203.0.113.1", true), IN);
    }

    #[test]
    fn who_came_lately_gets_in_however_many_strangers_guess() {
        let mut contact = Contacted::new();
        assert_eq!(contact.proof(HERE, true), IN);
        contact.fail_from_everywhere(100);
        assert_eq!(contact.proof(HERE, true), IN);
        contact.now_ms += KNOWN_MS;
        contact.fail_from_everywhere(100);
        assert_eq!(contact.proof(HERE, true).0, Reason::LoginLocked);
    }

    #[test]
    fn a_wrong_password_is_answered_alike_where_the_owner_came_from_and_elsewhere() {
        let (mut owned, mut nobodys) = (Contacted::new(), Contacted::new());
        assert_eq!(owned.proof(HERE, true), IN);
        nobodys.now_ms = owned.now_ms;
        for contact in [&mut owned, &mut nobodys] {
            contact.fail_from_everywhere(100);
        }
        for attempt in 0..30 {
            let told = owned.proof(HERE, false);
            assert_eq!(told, nobodys.proof(HERE, false), "{attempt}");
            (owned.now_ms, nobodys.now_ms) = (owned.now_ms + 7_000, nobodys.now_ms + 7_000);
        }
    }

    #[test]
    fn neighbours_share_a_network_and_others_do_not() {
        let of = |address: &str| network(address.parse().unwrap());
        for (one, other, same) in [
            ("192.0.2.1", "192.0.2.254", true),
            ("192.0.2.1", "192.0.3.1", false),
            ("::ffff:192.0.2.1", "192.0.2.2", true),
            ("2001:db8::1", "2001:db8:0:ff::1", true),
            ("2001:db8::1", "2001:db8:0:100::1", false),
        ] {
            assert_eq!(of(one) == of(other), same, "{one} {other}");
        }
    }
}
