//! Whatever is wrong with a request is told by code, reason and field, and changes
//! nothing.

mod batches;
mod bindings;
mod bytes;
mod currency;
mod entries;
mod fields;
mod people;
mod sessions;
mod tokens;
mod verifications;

use futures::{FutureExt, future::BoxFuture};
use tonic::{Code, Status};

use crate::harness::{Application, Client, Database, Gx, Person, Refusal};

/// What is called with.
struct World {
    gx: Gx,
    ann: Person,
    bee: Person,
    waiting: Application,
    newcomer: Client,
}

/// One bad request.
struct Case {
    what: &'static str,
    call: BoxFuture<'static, Result<(), Status>>,
    told: (Code, &'static str),
    fields: &'static [&'static str],
    /// Tables that count the failure.
    counts: &'static [&'static str],
    metadata: &'static [(&'static str, &'static str)],
}

impl Case {
    /// A request that must be refused with a code and a reason.
    fn new<T: 'static>(
        what: &'static str,
        told: (Code, &'static str),
        call: impl Future<Output = Result<T, Status>> + Send + 'static,
    ) -> Self {
        Self {
            what,
            call: call.map(|answer| answer.map(drop)).boxed(),
            told,
            fields: &[],
            counts: &[],
            metadata: &[],
        }
    }

    /// A request whose fields break their bounds.
    fn fields<T: 'static>(
        what: &'static str,
        fields: &'static [&'static str],
        call: impl Future<Output = Result<T, Status>> + Send + 'static,
    ) -> Self {
        let told = (Code::InvalidArgument, "INVALID_FIELD");
        Self {
            fields,
            ..Self::new(what, told, call)
        }
    }

    fn with(mut self, metadata: &'static [(&'static str, &'static str)]) -> Self {
        self.metadata = metadata;
        self
    }

    fn counted_in(mut self, tables: &'static [&'static str]) -> Self {
        self.counts = tables;
        self
    }

    /// What is wrong with the answer or its effect.
    async fn fault(self, gx: &Gx) -> Option<String> {
        let before = gx.image().await;
        let refused = match self.call.await {
            Ok(()) => return Some("was done".to_owned()),
            Err(status) => Refusal::of(&status),
        };
        let changed = before.changed(&gx.image().await);
        let missing = self
            .metadata
            .iter()
            .find(|(key, value)| refused.metadata.get(*key).is_none_or(|told| told != value));
        let right = refused.told() == self.told && refused.fields == self.fields;
        (!right || missing.is_some() || changed != self.counts)
            .then(|| format!("was told {refused:?}, and changed {changed:?}"))
    }
}

impl World {
    async fn new(database: Database) -> Self {
        let gx = Gx::start(database).await;
        let world = Self {
            ann: gx.person("DE").await,
            bee: gx.person("DE").await,
            waiting: gx.application("DE").await,
            newcomer: gx.newcomer().await,
            gx,
        };
        // Every partition shows the accounts, so that nothing moves any more.
        let supply = world.gx.supply(0).await;
        let wallet = world.bee.wallet(supply.as_of_block).await;
        assert!(wallet.balance_qirat > 0);
        world
    }

    async fn check(&self, cases: Vec<Case>) {
        let mut faults = Vec::new();
        for case in cases {
            let what = case.what;
            if let Some(fault) = case.fault(&self.gx).await {
                faults.push(format!("{what}: {fault}"));
            }
        }
        assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    }
}

async fn bad_requests_are_told_and_change_nothing(database: Database) {
    let world = World::new(database).await;
    let mut cases = fields::transfers(&world);
    cases.extend(batches::cases(&world));
    cases.extend(fields::reads(&world).await);
    cases.extend(entries::cases(&world));
    cases.extend(currency::cases(&world));
    cases.extend(people::registering(&world).await);
    cases.extend(sessions::cases(&world).await);
    cases.extend(verifications::cases(&world).await);
    cases.extend(bindings::cases(&world).await);
    cases.extend(tokens::cases(&world).await);
    cases.extend(bytes::cases(&world).await);
    assert!(cases.len() > 80, "{}", cases.len());
    world.check(cases).await;
}

#[tokio::test]
async fn bad_requests_are_told_and_change_nothing_on_sqlite() {
    bad_requests_are_told_and_change_nothing(Database::Sqlite).await;
}

#[tokio::test]
async fn bad_requests_are_told_and_change_nothing_on_postgres() {
    bad_requests_are_told_and_change_nothing(Database::Postgres).await;
}

#[tokio::test]
async fn bad_requests_are_told_and_change_nothing_on_six_processes() {
    bad_requests_are_told_and_change_nothing(Database::PostgresApart).await;
}
