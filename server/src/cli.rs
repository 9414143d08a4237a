//! What can be said on the command line: one variant a role or tool.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use gx_server::ops::{self, report::Format};

/// GX: identity, wallet and tokenomics over gRPC.
#[derive(Debug, Parser)]
#[command(name = "gx", version, about)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// How a tool answers: text for people, json for programs.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) output: Option<Format>,
    /// What to run.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Where the settings come from.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    /// A file of settings; `gx config defaults` prints all with their meaning.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The first of seven ports in a row: identity, wallet, tokenomics, metrics, the
    /// devnet, its CA and its second gateway; 0 takes free ones and writes them to
    /// ports.json in data_dir.
    #[arg(long, global = true, value_name = "PORT")]
    pub(crate) listen_base: Option<u16>,
}

/// A tool's own options, and how it answers: `--output` may stand before the tool
/// or behind it.
#[derive(Debug, Args)]
pub(crate) struct Tool<T: Args> {
    #[command(flatten)]
    pub(crate) options: T,
    /// How to answer: text for people, json for programs.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) output: Option<Format>,
}

/// What to run.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs everything in one process (the default).
    All,
    /// Serves identity alone.
    Identity,
    /// Serves wallets alone.
    Wallet,
    /// Serves tokenomics and the ledger alone.
    Tokenomics,
    /// Carries commands to the ledger.
    Submitter,
    /// Makes the read model from blocks.
    Projector {
        /// What to do instead of running it.
        #[command(subcommand)]
        command: Option<ProjectorCommand>,
    },
    /// A Fabric network in one process, for development and tests.
    Devnet {
        /// What to do instead of running it.
        #[command(subcommand)]
        command: Option<DevnetCommand>,
    },
    /// Brings the database's schema up to date.
    Migrate(Tool<()>),
    /// Does what a system needs once, beside a submitter and a projector.
    Bootstrap(Tool<ops::bootstrap::Options>),
    /// Runs the contract for a Fabric network's peers, which dial in.
    Chaincode {
        /// What to do instead of running it.
        #[command(subcommand)]
        command: Option<ChaincodeCommand>,
    },
    /// Measures a running gx under load, each figure against something measured in turn.
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Plays two people against a running gx, and proves from its ledger and its
    /// database that it kept its promises.
    Demo(Tool<ops::demo::Options>),
    /// Looks whether a process would find what it needs: peers, identities, contract,
    /// clocks, schema, and a chain that the database knows.
    Preflight(Tool<ops::preflight::Options>),
    /// Compares the read model with the chain, account by account, while gx runs.
    Reconcile(Tool<ops::reconcile::Options>),
    /// Tells a database that it was restored from a backup, before the roles start: no
    /// command is taken until it has caught up with the ledger.
    Restored(Tool<()>),
    /// Looks at commands that are not settled.
    #[command(subcommand)]
    Outbox(OutboxCommand),
    /// Looks at lanes, the streams in which commands reach the ledger.
    #[command(subcommand)]
    Lanes(LanesCommand),
    /// Changes the partitions of the read model.
    #[command(subcommand)]
    Partitions(PartitionsCommand),
    /// Lets users in again.
    #[command(subcommand)]
    Users(UsersCommand),
    /// Looks at the audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Gets the certificates under which GX submits from a Fabric CA, and later ones
    /// before they end, until it is told to stop.
    Enroll(Tool<ops::enroll::Options>),
    /// Checks or shows settings.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Writes the configuration of an Envoy that serves REST, gRPC and gRPC-Web in front
    /// of the services.
    Gateway(Tool<ops::gateway::Options>),
    /// Writes the description of REST, as OpenAPI and as a page to read.
    Openapi(Tool<ops::openapi::Options>),
    /// Writes the descriptor set of the interface, for gateways, linters and
    /// clients without reflection.
    Descriptor(ops::descriptor::Options),
}

/// What to do with the devnet.
#[derive(Debug, Subcommand)]
pub(crate) enum DevnetCommand {
    /// Writes what a client of the devnet needs: endpoint, certificates, keys, names.
    Connection(Tool<ops::devnet::Options>),
    /// Reads the chain's files, while gx runs or not: how far it is, and whether every
    /// block is whole and follows the one before; exits with 1 if not.
    Inspect(Tool<ops::devnet::InspectOptions>),
}

/// What to do with the chaincode.
#[derive(Debug, Subcommand)]
pub(crate) enum ChaincodeCommand {
    /// Writes the package that peers install, and prints its id.
    Package(Tool<ops::chaincode::Options>),
}

/// What to do with the outbox.
#[derive(Debug, Subcommand)]
pub(crate) enum OutboxCommand {
    /// Lists commands that are pending, numbered or voided, oldest first.
    List(Tool<ops::outbox::ListOptions>),
    /// Shows one command, decoded, with its operation.
    Show(Tool<ops::outbox::ShowOptions>),
}

/// What to do with lanes.
#[derive(Debug, Subcommand)]
pub(crate) enum LanesCommand {
    /// Lists all lanes with their cursors; exits with 1 if one holds.
    List(Tool<()>),
}

/// What to know of the projector.
#[derive(Debug, Subcommand)]
pub(crate) enum ProjectorCommand {
    /// Tells how far each partition is; exits with 1 if one stopped.
    Status(Tool<()>),
    /// Makes the read model once more from block 0, beside the live one, and exchanges
    /// the rows that differ in one transaction, while gx runs.
    Rebuild(Tool<()>),
}

/// What to do with partitions.
#[derive(Debug, Subcommand)]
pub(crate) enum PartitionsCommand {
    /// Deals the lanes to another number of partitions, while gx runs.
    Set(Tool<ops::partitions::Options>),
}

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Walks the chain of all lines; exits with 1 if it is broken.
    Verify(Tool<()>),
}

/// What to do for users.
#[derive(Debug, Subcommand)]
pub(crate) enum UsersCommand {
    /// Forgets the failed logins of a contact, and with them its locks.
    Unlock(Tool<ops::users::Options>),
}

/// What to measure.
#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Measures one figure; exits with 1 if it does not reach its aim.
    Run(Tool<ops::bench::Options>),
    /// Answers transfers at once and does nothing else, to compare with; it tells its
    /// port and runs until it is told to stop.
    EchoServer,
}

/// What to do with settings.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Prints the effective settings, secrets hidden, or everything that is wrong
    /// with them.
    Check(Tool<()>),
    /// Prints the default file, which is the manual.
    Defaults(Tool<()>),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_format_may_stand_before_the_tool_or_behind_it() {
        for line in [
            ["gx", "--output", "json", "config", "check"],
            ["gx", "config", "check", "--output", "json"],
        ] {
            let cli = Cli::try_parse_from(line).unwrap();
            let Some(Command::Config(ConfigCommand::Check(tool))) = cli.command else {
                panic!("{line:?}");
            };
            assert_eq!(tool.output.or(cli.output), Some(Format::Json));
        }
    }

    #[test]
    fn the_output_of_descriptor_is_a_file() {
        let line = ["gx", "descriptor", "--output", "gx.binpb"];
        let cli = Cli::try_parse_from(line).unwrap();
        assert!(matches!(cli.command, Some(Command::Descriptor(_))));
    }
}
