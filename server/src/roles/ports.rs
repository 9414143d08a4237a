//! The ports of a process, bound before anything starts.

use std::collections::BTreeMap;

use super::role::Role;
use crate::{
    config::Config,
    listen::{self, Bound},
};

/// Bound ports by their keys in `[listen]`.
pub(super) struct Ports(BTreeMap<&'static str, Bound>);

impl Ports {
    /// Binds what a role listens on.
    pub(super) fn bind(role: Role, config: &Config) -> anyhow::Result<Self> {
        let listen = &config.listen;
        let mut wanted = vec![("metrics", listen.metrics, "listen.metrics")];
        for service in role.services() {
            wanted.push(match service.port() {
                "identity" => ("identity", listen.identity, "listen.identity"),
                "wallet" => ("wallet", listen.wallet, "listen.wallet"),
                _ => ("tokenomics", listen.tokenomics, "listen.tokenomics"),
            });
        }
        if role.has_devnet(config) {
            wanted.push(("devnet", listen.devnet, "listen.devnet"));
            wanted.push(("devnet_ca", listen.devnet_ca, "listen.devnet_ca"));
            wanted.push(("devnet_org2", listen.devnet_org2, "listen.devnet_org2"));
        }
        let bound = wanted.into_iter().map(|(key, port, setting)| {
            let bound = listen::bind(listen.host, port, setting)?;
            Ok((key, bound))
        });
        Ok(Self(bound.collect::<anyhow::Result<_>>()?))
    }

    /// The numbers that were taken.
    pub(super) fn numbers(&self) -> BTreeMap<&'static str, u16> {
        let ports = self.0.iter();
        ports
            .map(|(key, bound)| (*key, bound.address().port()))
            .collect()
    }

    /// Takes one of them, to open it.
    pub(super) fn take(&mut self, key: &str) -> anyhow::Result<Bound> {
        let bound = self.0.remove(key);
        bound.ok_or_else(|| anyhow::anyhow!("this process has no port `{key}`"))
    }
}
