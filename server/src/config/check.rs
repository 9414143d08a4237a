//! What the settings must be together, told all at once.

mod chaincode;
mod enroll;
mod fabric;
mod gateway;
mod ranges;
mod redis;

use std::fmt;

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
        ranges::check(self, &mut faults);
        self.check_words(&mut faults);
        redis::check(&self.redis, &mut faults);
        gateway::check(self, &mut faults);
        fabric::check(&self.fabric, &mut faults);
        chaincode::check(&self.chaincode, &mut faults);
        if self.environment == Environment::Mainnet {
            self.check_mainnet(&mut faults);
        }
        Faults::none_of(faults)
    }

    fn check_places(&self, faults: &mut Vec<String>) {
        if self.data_dir.is_empty() && place::state_dir().is_none() {
            faults.push("data_dir: the user has no home directory, so it must be set".to_owned());
        }
        if let Err(fault) = self.database() {
            faults.push(fault);
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

    fn check_words(&self, faults: &mut Vec<String>) {
        for (name, value) in [
            ("token.issuer", &self.token.issuer),
            ("token.audience", &self.token.audience),
        ] {
            if value.is_empty() {
                faults.push(format!("{name}: must not be empty"));
            }
        }
        enroll::check(&self.enroll, faults);
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&self.log.filter) {
            faults.push(format!("log.filter: {error}"));
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
        config.listen.origins = vec!["https://app.example.org/".to_owned()];
        config.gateway.wallet = "svc-wallet".to_owned();
        config.gateway.metrics = config.gateway.port;
        config.gateway.burst = 1;
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
                "listen.origins",
                "gateway.wallet",
                "gateway.metrics",
                "gateway.burst",
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
