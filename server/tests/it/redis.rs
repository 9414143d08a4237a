//! Redis between processes: it makes them quick and their limits one, and losing it,
//! at any moment, costs no call.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use futures::future::join_all;
use gx_proto::gx::{
    identity::v1::{GetMeRequest, Role},
    ledger::v1::GetLedgerRequest,
    operation::v1::{OperationState, WatchOperationRequest},
    wallet::v1::GetWalletRequest,
};
use gx_server::{
    cache::{Quota, Redis as Client, Taken},
    config::{self, Config},
    telemetry::Readiness,
};
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Code, Status};

use crate::harness::{
    Caller, Database, GX, Gx, PATIENCE, Person, Redis, Refusal, Sentinel, block_of, free_port,
    unopened_account,
};

/// How often something is looked at that is waited for.
const POLL: Duration = Duration::from_millis(20);

/// The paths that counted calls took, by redis and by the process.
async fn paths(gx: &Gx) -> (f64, f64) {
    let path = |path| format!("gx_rate_checks_total{{path=\"{path}\"}}");
    let (redis, process) = (path("redis"), path("process"));
    (gx.sample(&redis).await, gx.sample(&process).await)
}

/// Waits until so many processes have their connection to Redis.
async fn connected(gx: &Gx, processes: f64) {
    let reached = async {
        while gx.sample("gx_redis_connected").await != processes {
            sleep(POLL).await;
        }
    };
    timeout(PATIENCE, reached)
        .await
        .expect("Redis is connected");
}

/// Calls all three processes over ten connections each at once.
async fn calls(gx: &Gx, caller: &Caller, rounds: usize) -> Vec<Result<(), Status>> {
    let connections: Vec<_> = (0..10).map(|_| gx.connect()).collect();
    let calls = connections.iter().cycle().take(10 * rounds);
    let calls = calls.map(|connection| {
        let client = caller.client.over(connection);
        async move {
            let (mut identity, mut wallet, mut ledger) =
                (client.identity(), client.wallet(), client.ledger());
            let no_wallet = |status: Status| match status.code() {
                Code::NotFound => Ok(()),
                _ => Err(status),
            };
            let any = GetWalletRequest {
                account: unopened_account(1),
                min_block: 0,
            };
            let (me, wallet, height) = futures::join!(
                identity.get_me(GetMeRequest::default()),
                wallet.get_wallet(any),
                ledger.get_ledger(GetLedgerRequest::default()),
            );
            [
                me.map(drop),
                wallet.map(drop).or_else(no_wallet),
                height.map(drop),
            ]
        }
    });
    join_all(calls).await.into_iter().flatten().collect()
}

#[tokio::test]
async fn ten_connections_through_three_processes_have_one_limit() {
    let redis = Redis::start();
    let settings = [
        ("GX_REDIS__URL", redis.url()),
        // A busy machine may be slow, and that is not what is tried here.
        ("GX_REDIS__TIMEOUT_MS", "10000".to_owned()),
        ("GX_LIMITS__CALLER_PER_S", "1".to_owned()),
        ("GX_LIMITS__CALLER_BURST", "40".to_owned()),
    ];
    let settings = settings
        .each_ref()
        .map(|(key, value)| (*key, value.as_str()));
    let gx = Gx::start_with(Database::PostgresApart, &settings).await;
    connected(&gx, 5.0).await;
    let (flood, paced) = (
        gx.caller(&[Role::User]).await,
        gx.caller(&[Role::User]).await,
    );
    let begun = Instant::now();
    let answers = calls(&gx, &flood, 10).await;
    let refilled = begun.elapsed().as_secs() as usize + 1;
    let refusals: Vec<_> = answers
        .iter()
        .filter_map(|one| one.as_ref().err())
        .collect();
    for status in &refusals {
        let refusal = Refusal::of(status);
        assert_eq!(refusal.told(), (Code::ResourceExhausted, "RATE_LIMITED"));
        assert!(refusal.retry_ms.is_some_and(|ms| ms > 0), "{refusal:?}");
    }
    let taken = answers.len() - refusals.len();
    assert!(
        (40..=40 + refilled).contains(&taken),
        "{taken} calls were taken"
    );
    let (by_redis, by_process) = paths(&gx).await;
    assert!(
        by_redis > 40.0 && by_process == 0.0,
        "{by_redis} {by_process}"
    );
    // Whoever keeps to the limit is not touched by those who do not.
    let (flooded, kept) = futures::join!(calls(&gx, &flood, 10), calls(&gx, &paced, 1));
    assert!(flooded.iter().filter(|one| one.is_ok()).count() <= 1 + refilled);
    assert!(kept.iter().all(Result::is_ok), "{kept:?}");
}

async fn pays(from: &Person, to: &Person) {
    let paid = from.pay(from.to(&to.account, GX / 1_000, GX)).await;
    assert_eq!(paid.state(), OperationState::Succeeded);
}

#[tokio::test]
async fn redis_that_dies_and_comes_back_costs_no_call() {
    let redis = Redis::start();
    let (port, url) = (redis.port, redis.url());
    let gx = Gx::start_with(Database::PostgresApart, &[("GX_REDIS__URL", &url)]).await;
    connected(&gx, 5.0).await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    pays(&ann, &bee).await;
    let (shared, alone) = paths(&gx).await;
    assert!(shared > 0.0);
    drop(redis);
    pays(&ann, &bee).await;
    pays(&bee, &ann).await;
    let after = paths(&gx).await;
    assert!(after.1 > alone, "{after:?}: each process counts by itself");
    connected(&gx, 0.0).await;
    let (_, ready) = gx.ready().await;
    assert!(ready.contains("redis"), "{ready}");
    let redis = Redis::start_with(port, &[]);
    connected(&gx, 5.0).await;
    let (shared, _) = paths(&gx).await;
    pays(&ann, &bee).await;
    assert!(paths(&gx).await.0 > shared);
    drop(redis);
}

#[tokio::test]
async fn gx_starts_without_the_redis_that_it_is_told_of() {
    let url = format!("redis://127.0.0.1:{}", free_port());
    let gx = Gx::start_with(Database::Sqlite, &[("GX_REDIS__URL", &url)]).await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    pays(&ann, &bee).await;
    let (shared, alone) = paths(&gx).await;
    assert!(shared == 0.0 && alone > 0.0, "{shared} {alone}");
}

#[tokio::test]
async fn wake_ups_reach_other_processes() {
    let redis = Redis::start();
    let url = redis.url();
    let settings = [("GX_REDIS__URL", url.as_str())];
    let mut gx = Gx::start_with(Database::PostgresApart, &settings).await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    gx.stop().await;
    // Nobody looks without being woken, in the time that a test has.
    gx.restart_with(&[("GX_LANES__POLL_MS", "60000")]).await;
    connected(&gx, 5.0).await;
    let ann = Person {
        client: ann.client.over(&gx.connect()),
        ..ann
    };
    let sent = ann.sent(ann.to(&bee.account, GX, GX)).await;
    let watch = WatchOperationRequest { name: sent.name };
    let mut watched = ann.client.operation().watch_operation(watch).await;
    let watched = watched.as_mut().expect("a stream").get_mut();
    let settled = async {
        while let Some(told) = watched.message().await.expect("told") {
            let operation = told.operation.expect("an operation");
            if operation.state() == OperationState::Succeeded {
                return;
            }
        }
        panic!("the stream ended");
    };
    let half_a_poll = Duration::from_secs(30);
    timeout(half_a_poll, settled).await.expect("woken");
}

#[tokio::test]
async fn a_kept_answer_is_never_older_than_what_is_asked_for() {
    let redis = Redis::start();
    let url = redis.url();
    let gx = Gx::start_with(Database::PostgresApart, &[("GX_REDIS__URL", &url)]).await;
    let (ann, bee) = (gx.person("DE").await, gx.person("DE").await);
    connected(&gx, 5.0).await;
    let mut blocks = 0;
    for _ in 0..5 {
        // The fee is a change of the supply's parts, so that an old answer shows.
        let paid = ann.pay(ann.to(&bee.account, 10 * GX, GX)).await;
        blocks = block_of(&paid);
        let fees = 5_000;
        let before = gx.supply(0).await.circulating_qirat;
        let after = gx.supply(blocks).await;
        assert!(after.as_of_block >= blocks);
        assert!(before == after.circulating_qirat || before == after.circulating_qirat + fees);
    }
    let from_redis = "gx_answers_total{from=\"redis\"}";
    let kept = async {
        while gx.sample(from_redis).await == 0.0 {
            assert!(gx.supply(blocks).await.as_of_block >= blocks);
        }
    };
    timeout(PATIENCE, kept).await.expect("kept");
    drop(redis);
    assert!(gx.supply(blocks).await.as_of_block >= blocks);
}

/// A connection to a Redis, as a process has it.
struct Connected {
    redis: Client,
    readiness: Readiness,
    _shutdown: DropGuard,
}

impl Connected {
    fn to(settings: &config::Redis) -> Self {
        let redis = Client::new(settings).expect("settings").expect("a Redis");
        let (readiness, shutdown) = (Readiness::default(), CancellationToken::new());
        tokio::spawn(redis.clone().run(readiness.clone(), shutdown.clone()));
        Self {
            redis,
            readiness,
            _shutdown: shutdown.drop_guard(),
        }
    }

    /// Takes from a bucket as soon as Redis answers.
    async fn take(&self) -> Taken {
        let answered = async {
            loop {
                match self.redis.take("test", "ann", TWO).await {
                    Some(taken) => return taken,
                    None => sleep(POLL).await,
                }
            }
        };
        let answered = timeout(PATIENCE, answered).await;
        answered.unwrap_or_else(|_| panic!("{:?}", self.readiness.report()))
    }
}

fn settings() -> config::Redis {
    Config::default().redis
}

const TWO: Quota = Quota { per_s: 1, burst: 2 };

#[tokio::test]
async fn sentinels_lead_to_the_next_primary() {
    let primary = Redis::start();
    let replica = primary.replica();
    let sentinel = Sentinel::of(&primary);
    let mut settings = settings();
    settings.sentinels = vec![format!("127.0.0.1:{}", sentinel.port)];
    let client = Connected::to(&settings);
    assert_eq!(client.take().await, Taken::Yes);
    drop(primary);
    let switched = move || {
        sentinel.switched();
        replica.promoted();
        (sentinel, replica)
    };
    let kept = tokio::task::spawn_blocking(switched)
        .await
        .expect("a failover");
    client.take().await;
    drop(kept);
}

/// An authority and two certificates of it in PEM files, `server` and `client`.
fn certificates(folder: &Path) {
    let mut authority = rcgen::CertificateParams::default();
    let names = &mut authority.distinguished_name;
    names.push(rcgen::DnType::CommonName, "authority");
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    let authority = rcgen::CertifiedIssuer::self_signed(authority, key).unwrap();
    fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
    for name in ["server", "client"] {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        let certificate = params.signed_by(&key, &authority).unwrap();
        fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
        fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

#[tokio::test]
async fn a_user_with_few_rights_is_enough_over_tls_with_certificates() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let file = |name: &str| folder.path().join(name).display().to_string();
    let port = free_port();
    let server = [
        ("--tls-port", port.to_string()),
        ("--tls-cert-file", file("server.pem")),
        ("--tls-key-file", file("server.key")),
        ("--tls-ca-cert-file", file("ca.pem")),
        ("--tls-auth-clients", "yes".to_owned()),
    ];
    let mut arguments: Vec<_> = server
        .iter()
        .flat_map(|(key, value)| [*key, value])
        .collect();
    arguments.extend(["--user", "default", "off"]);
    let rights = "gx on >between-friends ~gx:* &gx:* -@all +evalsha +eval +script|load +get +set \
                  +time +publish +subscribe +ping";
    let fewer = "mute on >between-friends ~gx:* &gx:* +@all -publish";
    for user in [rights, fewer] {
        arguments.push("--user");
        arguments.extend(user.split_whitespace());
    }
    let _redis = Redis::start_with(0, &arguments);
    let mut settings = settings();
    settings.url = format!("rediss://localhost:{port}");
    settings.user = "gx".to_owned();
    settings.password = "between-friends".to_owned().into();
    settings.tls_ca_file = file("ca.pem");
    settings.tls_certificate_file = file("client.pem");
    settings.tls_key_file = file("client.key");
    let client = Connected::to(&settings);
    assert_eq!(client.take().await, Taken::Yes);
    assert_eq!(client.take().await, Taken::Yes);
    client.redis.probe().await.unwrap();
    settings.user = "mute".to_owned();
    let mute = Connected::to(&settings).redis.probe().await.unwrap_err();
    assert!(format!("{mute:#}").starts_with("publish: "), "{mute:#}");
    assert!(matches!(client.take().await, Taken::After(_)));
}
