//! A flood of logins: everybody whom nobody knows, with passwords that are wrong.

use gx_proto::gx::identity::v1::{LoginRequest, identity_service_client::IdentityServiceClient};
use tokio::task::JoinSet;
use tonic::transport::Channel;

use crate::id::random_bytes;

/// Logs in again and again, over each connection as often as said; ends when dropped.
pub(super) fn flood(channels: &[Channel], callers: usize) -> JoinSet<()> {
    let mut flood = JoinSet::new();
    for channel in channels.iter().cycle().take(callers) {
        let mut client = IdentityServiceClient::new(channel.clone());
        flood.spawn(async move {
            loop {
                let name = hex::encode(random_bytes::<8>());
                let request = LoginRequest {
                    contact: format!("nobody-{name}@example.org"),
                    password: name,
                    label: String::new(),
                };
                // Whether it is refused or shed is not the flood's concern.
                let _ = client.login(request).await;
            }
        });
    }
    flood
}
