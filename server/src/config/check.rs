//! What the settings must be together, told all at once.

use std::fmt;

use gx_contract::lane::PARTNER_LANES_MAX;
use url::Url;

use super::{Config, Environment, LogFormat, place};
use crate::store::DatabaseUrl;

/// Everything that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(Vec<String>);

impl Faults {
    /// Each fault, beginning with the key or variable that it is about.
    pub fn list(&self) -> &[String] {
        &self.0
    }

    pub(super) fn one(fault: String) -> Self {
        Self(vec![fault])
    }

    pub(super) fn none_of(faults: Vec<String>) -> Result<(), Self> {
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Self(faults))
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the settings are wrong:")?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl std::error::Error for Faults {}

impl Config {
    /// Checks what the values mean, alone and together.
    ///
    /// # Errors
    /// Every violation at once.
    pub fn check(&self) -> Result<(), Faults> {
        let mut faults = Vec::new();
        self.check_places(&mut faults);
        self.check_ports(&mut faults);
        self.check_ranges(&mut faults);
        self.check_words(&mut faults);
        self.check_fabric(&mut faults);
        self.check_chaincode(&mut faults);
        if self.environment == Environment::Mainnet {
            self.check_mainnet(&mut faults);
        }
        Faults::none_of(faults)
    }

    fn check_places(&self, faults: &mut Vec<String>) {
        if self.data_dir.is_empty() && place::state_dir().is_none() {
            faults.push("data_dir: the user has no home directory, so it must be set".to_owned());
        }
        if let Err(fault) = self.database_url() {
            faults.push(format!("database.url: {fault}"));
        }
    }

    fn check_ports(&self, faults: &mut Vec<String>) {
        let listen = &self.listen;
        let ports = [
            ("listen.identity", listen.identity),
            ("listen.wallet", listen.wallet),
            ("listen.tokenomics", listen.tokenomics),
            ("listen.metrics", listen.metrics),
            ("listen.devnet", listen.devnet),
            ("listen.devnet_ca", listen.devnet_ca),
            ("listen.devnet_org2", listen.devnet_org2),
            ("chaincode.port", self.chaincode.port),
        ];
        for (index, (name, port)) in ports.iter().enumerate() {
            let same = ports[..index].iter().find(|(_, other)| other == port);
            if let (Some((other, _)), true) = (same, *port != 0) {
                faults.push(format!("{name}: the same port as {other}"));
            }
        }
    }

    fn check_ranges(&self, faults: &mut Vec<String>) {
        for (name, value, least, most) in self.ranges() {
            if value < least || value > most {
                faults.push(format!("{name}: must be {least} to {most}, is {value}"));
            }
        }
        let limits = &self.limits;
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
    fn ranges(&self) -> Vec<(&'static str, u64, u64, u64)> {
        let Self { fabric, devnet, chaincode, lanes, projector, intake, token, login, limits, enroll, .. } = self;
        let size = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        vec![
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
            ("intake.fold", size(intake.fold), 1, 1_000),
            ("intake.timeout_ms", intake.timeout_ms, 100, 60_000),
            ("token.ttl_s", token.ttl_s, 60, 86_400),
            ("login.concurrency", size(login.concurrency), 1, 64),
            ("login.waiting", size(login.waiting), 0, 10_000),
            ("login.failures", login.failures.into(), 1, 1_000),
            ("login.lock_s", login.lock_s, 1, 86_400),
            ("limits.caller_per_s", limits.caller_per_s.into(), 1, 1_000_000),
            ("limits.address_per_s", limits.address_per_s.into(), 1, 1_000_000),
            ("limits.public_per_s", limits.public_per_s.into(), 1, 1_000_000),
            ("limits.message_bytes", size(limits.message_bytes), 4_096, 4_194_304),
            ("limits.concurrency", size(limits.concurrency), 1, 100_000),
            ("limits.timeout_ms", limits.timeout_ms, 100, 300_000),
            ("limits.connections", size(limits.connections), 1, 100_000),
            ("limits.streams", limits.streams.into(), 1, 10_000),
            ("limits.watches", size(limits.watches), 1, 1_000_000),
            ("limits.caller_watches", size(limits.caller_watches), 1, 1_000_000),
            ("limits.connection_age_s", limits.connection_age_s, 1, 86_400),
            ("limits.drain_ms", limits.drain_ms, 0, 300_000),
            ("enroll.renew_left_percent", enroll.renew_left_percent.into(), 1, 90),
            ("enroll.check_s", enroll.check_s, 1, 86_400),
        ]
    }

    fn check_words(&self, faults: &mut Vec<String>) {
        for (name, value) in [
            ("token.issuer", &self.token.issuer),
            ("token.audience", &self.token.audience),
        ] {
            if value.is_empty() {
                faults.push(format!("{name}: must not be empty"));
            }
        }
        self.check_enroll(faults);
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&self.log.filter) {
            faults.push(format!("log.filter: {error}"));
        }
    }

    fn check_fabric(&self, faults: &mut Vec<String>) {
        let fabric = &self.fabric;
        for (name, value) in [
            ("fabric.channel", &fabric.channel),
            ("fabric.chaincode", &fabric.chaincode),
            ("fabric.msp_id", &fabric.msp_id),
        ] {
            if value.is_empty() {
                faults.push(format!("{name}: must not be empty"));
            }
        }
        for peer in &fabric.peers {
            let port = peer.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
            if !matches!(port, Some(Ok(_))) {
                faults.push(format!("fabric.peers: {peer} is not host:port"));
            }
        }
        if !fabric.peers.is_empty() && fabric.tls_ca_file.is_empty() {
            faults.push("fabric.tls_ca_file: peers are known by their certificates".to_owned());
        }
        let identity = &fabric.identity;
        let pairs = [
            (
                "fabric.tls",
                &fabric.tls_certificate_file,
                &fabric.tls_key_file,
            ),
            (
                "fabric.identity.partner",
                &identity.partner.certificate_file,
                &identity.partner.key_file,
            ),
            (
                "fabric.identity.admin",
                &identity.admin.certificate_file,
                &identity.admin.key_file,
            ),
            (
                "fabric.identity.super_admin",
                &identity.super_admin.certificate_file,
                &identity.super_admin.key_file,
            ),
        ];
        for (name, certificate, key) in pairs {
            if certificate.is_empty() != key.is_empty() {
                faults.push(format!("{name}: a certificate and its key go together"));
            }
        }
    }

    fn check_chaincode(&self, faults: &mut Vec<String>) {
        let chaincode = &self.chaincode;
        let tls = !chaincode.certificate_file.is_empty();
        if tls == chaincode.key_file.is_empty() {
            faults.push("chaincode.key_file: a certificate and its key need each other".to_owned());
        }
        if !tls && !chaincode.client_ca_file.is_empty() {
            faults.push(
                "chaincode.client_ca_file: peers show no certificate without TLS; set \
                 chaincode.certificate_file"
                    .to_owned(),
            );
        }
    }

    /// Without a URL nobody enrols, and the rest does not matter.
    fn check_enroll(&self, faults: &mut Vec<String>) {
        let enroll = &self.enroll;
        if enroll.url.is_empty() {
            return;
        }
        let is_https = |url: &Url| url.scheme() == "https" && url.password().is_none();
        if !Url::parse(&enroll.url).is_ok_and(|url| is_https(&url)) {
            faults.push("enroll.url: must be https://host:port".to_owned());
        }
        if enroll.tls_ca_file.is_empty() {
            faults.push("enroll.tls_ca_file: must be set where enroll.url is".to_owned());
        }
    }

    fn check_mainnet(&self, faults: &mut Vec<String>) {
        if !matches!(self.database_url(), Ok(DatabaseUrl::Postgres(_))) {
            faults.push(
                "database.url: mainnet needs PostgreSQL, not an embedded database".to_owned(),
            );
        }
        if self.log.format != LogFormat::Json {
            faults.push("log.format: mainnet needs json".to_owned());
        }
        if self.fabric.peers.is_empty() {
            faults.push("fabric.peers: mainnet needs a network, not the devnet".to_owned());
        }
        if !self.enroll.url.is_empty() && self.enroll.ca_certificate_file.is_empty() {
            faults.push(
                "enroll.ca_certificate_file: mainnet trusts no root that it is told by the network"
                    .to_owned(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed() -> Config {
        Config {
            data_dir: "/var/lib/gx".to_owned(),
            ..Config::default()
        }
    }

    #[test]
    fn the_defaults_are_right() {
        let mut config = placed();
        config.check().unwrap();
        config.set_listen_base(0);
        config.check().unwrap();
    }

    #[test]
    fn every_violation_is_told_at_once() {
        let mut config = placed();
        config.listen.wallet = config.listen.identity;
        config.lanes.partner = 0;
        config.lanes.lease_ms = -1;
        config.limits.public_burst = 1;
        config.token.issuer = String::new();
        config.log.filter = "gx=loud".to_owned();
        config.chaincode.key_file = "key.pem".to_owned();
        config.chaincode.client_ca_file = "ca.pem".to_owned();
        config.database.url = "mysql://x".to_owned();
        config.fabric.peers = vec!["peer0".to_owned()];
        config.fabric.identity.admin.key_file = "key.pem".to_owned();
        config.enroll.url = "http://localhost:7054".to_owned();
        config.enroll.renew_left_percent = 0;
        let faults = config.check().unwrap_err();
        let keys: Vec<_> = faults
            .list()
            .iter()
            .filter_map(|fault| fault.split(':').next())
            .collect();
        assert_eq!(
            keys,
            [
                "database.url",
                "listen.wallet",
                "lanes.partner",
                "lanes.lease_ms",
                "enroll.renew_left_percent",
                "limits.public_burst",
                "token.issuer",
                "enroll.url",
                "enroll.tls_ca_file",
                "log.filter",
                "fabric.peers",
                "fabric.tls_ca_file",
                "fabric.identity.admin",
                "chaincode.key_file",
                "chaincode.client_ca_file",
            ]
        );
    }

    #[test]
    fn mainnet_refuses_embedded_parts() {
        let mut config = placed();
        config.environment = Environment::Mainnet;
        config.enroll.url = "https://localhost:7054".to_owned();
        let told = config.check().unwrap_err().to_string();
        for word in [
            "database.url",
            "log.format",
            "fabric.peers",
            "enroll.ca_certificate_file",
        ] {
            assert!(told.contains(word), "{told}");
        }
    }
}
