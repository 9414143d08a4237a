//! Whether a Redis would do what GX asks of it.

use anyhow::Context as _;

use super::{Redis, buckets::TAKE, wake::Hint};

impl Redis {
    /// Connects once and does all that GX does: keeps, counts, tells and hears.
    ///
    /// # Errors
    /// What cannot be done, and why.
    pub async fn probe(&self) -> anyhow::Result<()> {
        let mut to = self.connect().await.context("cannot be reached")?;
        let name = self.name("preflight");
        let ping = redis::cmd("PING");
        ping.exec_async(&mut to).await.context("ping")?;
        let mut keep = redis::cmd("SET");
        keep.arg(&name).arg("1").arg("PX").arg(1_000);
        keep.exec_async(&mut to).await.context("set")?;
        let mut read = redis::cmd("GET");
        read.arg(&name).exec_async(&mut to).await.context("get")?;
        let mut count = TAKE.key(self.name("preflight:count"));
        let counted: Result<u64, _> = count.arg(1_000).arg(1_000).invoke_async(&mut to).await;
        counted.context("script")?;
        let mut tell = redis::cmd("PUBLISH");
        tell.arg(&name)
            .arg("")
            .exec_async(&mut to)
            .await
            .context("publish")?;
        let mut listener = self.listener().await.context("a second connection")?;
        let channels = Hint::ALL.map(|hint| self.name(hint.name()));
        listener.subscribe(&channels).await.context("subscribe")
    }
}
