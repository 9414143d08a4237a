//! `gx`: one binary, a role or a tool a subcommand. Without one it runs everything
//! on embedded defaults.

mod cli;

use std::process::ExitCode;

use clap::{Args, Parser as _};
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

use self::cli::{
    AuditCommand, BenchCommand, ChaincodeCommand, Cli, Command, ConfigCommand, DevnetCommand,
    LanesCommand, OutboxCommand, PartitionsCommand, ProjectorCommand, Settings, Tool, UsersCommand,
};

/// A call makes and drops hundreds of small things, on whichever thread it is.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

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
