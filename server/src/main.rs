//! `gx`: one binary, a role or a tool a subcommand. Without one it runs everything
//! on embedded defaults.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use gx_server::{
    config::Config,
    ops::{
        self,
        report::{self, Format, Report},
    },
    roles::{self, Role},
};
use mimalloc::MiMalloc;
use tokio_util::sync::CancellationToken;

/// A call makes and drops hundreds of small things, on whichever thread it is.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// GX: identity, wallet and tokenomics over gRPC.
#[derive(Debug, Parser)]
#[command(name = "gx", version, about)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    /// How a tool answers: text for people, json for programs.
    #[arg(long, value_name = "FORMAT")]
    output: Option<Format>,
    /// What to run.
    #[command(subcommand)]
    command: Option<Command>,
}

/// Where the settings come from.
#[derive(Debug, Args)]
struct Settings {
    /// A file of settings; `gx config defaults` prints all with their meaning.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The first of seven ports in a row: identity, wallet, tokenomics, metrics, the
    /// devnet, its CA and its second gateway; 0 takes free ones and writes them to
    /// ports.json in data_dir.
    #[arg(long, global = true, value_name = "PORT")]
    listen_base: Option<u16>,
}

/// A tool's own options, and how it answers: `--output` may stand before the tool
/// or behind it.
#[derive(Debug, Args)]
struct Tool<T: Args> {
    #[command(flatten)]
    options: T,
    /// How to answer: text for people, json for programs.
    #[arg(long, value_name = "FORMAT")]
    output: Option<Format>,
}

/// What to run.
#[derive(Debug, Subcommand)]
enum Command {
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
enum DevnetCommand {
    /// Writes what a client of the devnet needs: endpoint, certificates, keys, names.
    Connection(Tool<ops::devnet::Options>),
    /// Reads the chain's files, while gx runs or not: how far it is, and whether every
    /// block is whole and follows the one before; exits with 1 if not.
    Inspect(Tool<ops::devnet::InspectOptions>),
}

/// What to do with the chaincode.
#[derive(Debug, Subcommand)]
enum ChaincodeCommand {
    /// Writes the package that peers install, and prints its id.
    Package(Tool<ops::chaincode::Options>),
}

/// What to do with the outbox.
#[derive(Debug, Subcommand)]
enum OutboxCommand {
    /// Lists commands that are pending, numbered or voided, oldest first.
    List(Tool<ops::outbox::ListOptions>),
    /// Shows one command, decoded, with its operation.
    Show(Tool<ops::outbox::ShowOptions>),
}

/// What to do with lanes.
#[derive(Debug, Subcommand)]
enum LanesCommand {
    /// Lists all lanes with their cursors; exits with 1 if one holds.
    List(Tool<()>),
}

/// What to know of the projector.
#[derive(Debug, Subcommand)]
enum ProjectorCommand {
    /// Tells how far each partition is; exits with 1 if one stopped.
    Status(Tool<()>),
    /// Makes the read model once more from block 0, beside the live one, and exchanges
    /// the rows that differ in one transaction, while gx runs.
    Rebuild(Tool<()>),
}

/// What to do with partitions.
#[derive(Debug, Subcommand)]
enum PartitionsCommand {
    /// Deals the lanes to another number of partitions, while gx runs.
    Set(Tool<ops::partitions::Options>),
}

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Walks the chain of all lines; exits with 1 if it is broken.
    Verify(Tool<()>),
}

/// What to do for users.
#[derive(Debug, Subcommand)]
enum UsersCommand {
    /// Forgets the failed logins of a contact, and with them its locks.
    Unlock(Tool<ops::users::Options>),
}

/// What to measure.
#[derive(Debug, Subcommand)]
enum BenchCommand {
    /// Measures one figure; exits with 1 if it does not reach its aim.
    Run(Tool<ops::bench::Options>),
    /// Answers transfers at once and does nothing else, to compare with; it tells its
    /// port and runs until it is told to stop.
    EchoServer,
}

/// What to do with settings.
#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Prints the effective settings, secrets hidden, or everything that is wrong
    /// with them.
    Check(Tool<()>),
    /// Prints the default file, which is the manual.
    Defaults(Tool<()>),
}

fn main() -> ExitCode {
    let Cli {
        settings,
        output,
        command,
    } = Cli::parse();
    let run = Run { settings, output };
    match command.unwrap_or(Command::All) {
        Command::All => run.role(Role::All),
        Command::Identity => run.role(Role::Identity),
        Command::Wallet => run.role(Role::Wallet),
        Command::Tokenomics => run.role(Role::Tokenomics),
        Command::Submitter => run.role(Role::Submitter),
        Command::Projector { command: None } => run.role(Role::Projector),
        Command::Devnet { command: None } => run.role(Role::Devnet),
        Command::Devnet {
            command: Some(DevnetCommand::Connection(tool)),
        } => run.tool(tool, ops::devnet::connection),
        Command::Migrate(tool) => run.tool(tool, ops::migrate::run),
        Command::Devnet {
            command: Some(DevnetCommand::Inspect(tool)),
        } => run.tool(tool, ops::devnet::inspect),
        Command::Bootstrap(tool) => run.tool(tool, ops::bootstrap::run),
        Command::Chaincode { command: None } => run.stay(roles::chaincode),
        Command::Chaincode {
            command: Some(ChaincodeCommand::Package(tool)),
        } => report::finish(
            run.format(tool.output),
            ops::chaincode::package(&tool.options),
        ),
        Command::Bench(BenchCommand::Run(tool)) => run.tool(tool, ops::bench::run),
        Command::Bench(BenchCommand::EchoServer) => run.stay(ops::bench::serve_echo),
        Command::Demo(tool) => {
            let format = run.format(tool.output);
            run.tool(tool, async |config, options| {
                ops::demo::run(config, options, format).await
            })
        }
        Command::Preflight(tool) => run.tool(tool, ops::preflight::run),
        Command::Reconcile(tool) => run.tool(tool, ops::reconcile::run),
        Command::Restored(tool) => run.tool(tool, ops::restored::restored),
        Command::Outbox(OutboxCommand::List(tool)) => run.tool(tool, ops::outbox::list),
        Command::Outbox(OutboxCommand::Show(tool)) => run.tool(tool, ops::outbox::show),
        Command::Lanes(LanesCommand::List(tool)) => run.tool(tool, ops::lanes::list),
        Command::Projector {
            command: Some(ProjectorCommand::Status(tool)),
        } => run.tool(tool, ops::projector::status),
        Command::Projector {
            command: Some(ProjectorCommand::Rebuild(tool)),
        } => run.tool(tool, ops::rebuild::rebuild),
        Command::Partitions(PartitionsCommand::Set(tool)) => run.tool(tool, ops::partitions::set),
        Command::Users(UsersCommand::Unlock(tool)) => run.tool(tool, ops::users::unlock),
        Command::Audit(AuditCommand::Verify(tool)) => run.tool(tool, ops::audit::verify),
        Command::Enroll(tool) if tool.options.once => run.tool(tool, ops::enroll::once),
        Command::Enroll(_) => run.stay(ops::enroll::stay),
        Command::Config(ConfigCommand::Check(tool)) => run.tool(tool, ops::config::check),
        Command::Config(ConfigCommand::Defaults(tool)) => {
            report::finish(run.format(tool.output), ops::config::defaults())
        }
        Command::Gateway(tool) => run.tool(tool, ops::gateway::write),
        Command::Openapi(tool) => {
            report::finish(run.format(tool.output), ops::openapi::write(&tool.options))
        }
        Command::Descriptor(options) => {
            report::finish(run.format(None), ops::descriptor::write(&options))
        }
    }
}

/// What every role and tool starts from.
struct Run {
    settings: Settings,
    output: Option<Format>,
}

impl Run {
    fn format(&self, own: Option<Format>) -> Format {
        own.or(self.output).unwrap_or_default()
    }

    fn config(&self) -> anyhow::Result<Config> {
        let mut config = Config::load(self.settings.config.as_deref())?;
        if let Some(base) = self.settings.listen_base {
            config.set_listen_base(base);
        }
        config.check()?;
        Ok(config)
    }

    /// Runs a role until it is told to stop.
    fn role(&self, role: Role) -> ExitCode {
        self.stay(async move |config, shutdown| roles::run(role, config, shutdown).await)
    }

    /// Runs something until it is told to stop.
    fn stay(
        &self,
        work: impl AsyncFnOnce(Config, CancellationToken) -> anyhow::Result<()>,
    ) -> ExitCode {
        let ended = self.config().and_then(|config| {
            runtime()?.block_on(async {
                let shutdown = CancellationToken::new();
                tokio::spawn(signals(shutdown.clone()));
                work(config, shutdown).await
            })
        });
        match ended {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => report::failure(Format::Text, &error),
        }
    }

    /// Runs a tool and tells what it found.
    fn tool<T: Args, R: Report>(
        &self,
        tool: Tool<T>,
        work: impl AsyncFnOnce(Config, T) -> anyhow::Result<R>,
    ) -> ExitCode {
        report::logs();
        let answer = self
            .config()
            .and_then(|config| runtime()?.block_on(work(config, tool.options)));
        report::finish(self.format(tool.output), answer)
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?)
}

/// Cancels on Ctrl-C or SIGTERM.
async fn signals(shutdown: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    shutdown.cancel();
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
