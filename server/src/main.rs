//! `gx`: one binary, a role or a tool a subcommand. Without one it runs everything
//! on embedded defaults.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use gx_server::{config::Config, roles};
use tokio_util::sync::CancellationToken;

/// GX: identity, wallet and tokenomics over gRPC.
#[derive(Debug, Parser)]
#[command(name = "gx", version, about)]
struct Cli {
    /// A file of settings; `gx config defaults` prints all with their meaning.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The first of four ports in a row; 0 takes free ones and writes them to
    /// ports.json in data_dir.
    #[arg(long, global = true, value_name = "PORT")]
    listen_base: Option<u16>,
    /// What to run.
    #[command(subcommand)]
    command: Option<Command>,
}

/// What to run.
#[derive(Debug, Subcommand)]
enum Command {
    /// Runs everything in one process (the default).
    All,
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("gx: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let mut config = Config::load(cli.config.as_deref())?;
    if let Some(base) = cli.listen_base {
        config.set_listen_base(base);
    }
    config.check()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match cli.command.unwrap_or(Command::All) {
            Command::All => {
                let shutdown = CancellationToken::new();
                tokio::spawn(signals(shutdown.clone()));
                roles::all(config, shutdown)
                    .await
                    .map(|()| ExitCode::SUCCESS)
            }
        }
    })
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

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
