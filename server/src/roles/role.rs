//! The roles: what each is called and what it is made of.

use anyhow::bail;

use crate::{
    app::App, config::Config, explorer, identity, operation, rpc::Services, store::DatabaseUrl,
    tokenomics, wallet,
};

/// What a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything, on embedded defaults.
    All,
    /// Serves `gx.identity.v1`.
    Identity,
    /// Serves `gx.wallet.v1`.
    Wallet,
    /// Serves `gx.tokenomics.v1` and `gx.ledger.v1`.
    Tokenomics,
    /// Carries commands to the ledger.
    Submitter,
    /// Makes the read model from blocks, and seals the audit log.
    Projector,
    /// A Fabric network in one process, for development and tests.
    Devnet,
}

/// A service with a port of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Identity,
    Wallet,
    Tokenomics,
}

impl Role {
    /// Its name in logs, locks and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "gx",
            Self::Identity => Service::Identity.name(),
            Self::Wallet => Service::Wallet.name(),
            Self::Tokenomics => Service::Tokenomics.name(),
            Self::Submitter => "outbox-submitter",
            Self::Projector => "projector",
            Self::Devnet => "devnet",
        }
    }

    pub(super) fn services(self) -> &'static [Service] {
        match self {
            Self::All => &[Service::Identity, Service::Wallet, Service::Tokenomics],
            Self::Identity => &[Service::Identity],
            Self::Wallet => &[Service::Wallet],
            Self::Tokenomics => &[Service::Tokenomics],
            Self::Submitter | Self::Projector | Self::Devnet => &[],
        }
    }

    pub(super) fn submits(self) -> bool {
        matches!(self, Self::All | Self::Submitter)
    }

    pub(super) fn projects(self) -> bool {
        matches!(self, Self::All | Self::Projector)
    }

    pub(super) fn has_database(self) -> bool {
        self != Self::Devnet
    }

    /// Whether it runs a devnet: `gx devnet` does, and `gx` where no network is named.
    pub(super) fn has_devnet(self, config: &Config) -> bool {
        self == Self::Devnet || (self == Self::All && config.fabric.peers.is_empty())
    }

    /// What the settings must be for it.
    ///
    /// # Errors
    /// If processes would have to share what only one can have.
    pub(super) fn check(self, config: &Config) -> anyhow::Result<()> {
        let shared = matches!(config.database_url(), Ok(DatabaseUrl::Postgres(_)));
        if self.has_database() && self != Self::All && !shared {
            bail!("database.url: roles in processes of their own meet in PostgreSQL");
        }
        Ok(())
    }
}

impl Service {
    /// The `service` of its metrics, as the deployment names it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Identity => "svc-identity",
            Self::Wallet => "svc-wallet",
            Self::Tokenomics => "svc-tokenomics",
        }
    }

    /// Its key among the ports and in `[listen]`.
    pub(super) fn port(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Wallet => "wallet",
            Self::Tokenomics => "tokenomics",
        }
    }

    /// What its port serves in a process of its own.
    pub(super) fn alone(self, app: &App) -> Services {
        let own = Services::default().with(operation::service(app.clone()));
        match self {
            Self::Identity => own.with(identity::service(app.clone())),
            Self::Wallet => own.with(wallet::service(app.clone())),
            Self::Tokenomics => own
                .with(tokenomics::service(app.clone()))
                .with(explorer::service(app.clone())),
        }
    }

    /// Every service, so that a newcomer needs one port.
    pub(super) fn all(app: &App) -> Services {
        Services::default()
            .with(identity::service(app.clone()))
            .with(wallet::service(app.clone()))
            .with(tokenomics::service(app.clone()))
            .with(operation::service(app.clone()))
            .with(explorer::service(app.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_apart_meet_in_postgres() {
        let mut config = Config::default();
        assert!(Role::All.check(&config).is_ok() && Role::Devnet.check(&config).is_ok());
        assert!(Role::Wallet.check(&config).is_err());
        config.database.url = "postgres://gx@localhost/gx".to_owned();
        assert!(Role::Wallet.check(&config).is_ok());
    }

    #[test]
    fn a_network_that_is_named_takes_the_place_of_the_devnet() {
        let mut config = Config::default();
        assert!(Role::All.has_devnet(&config));
        config.fabric.peers = vec!["peer0:7051".to_owned()];
        assert!(!Role::All.has_devnet(&config) && Role::Devnet.has_devnet(&config));
    }
}
