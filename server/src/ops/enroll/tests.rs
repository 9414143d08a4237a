//! What keeping identities promises, against an authority of the devnet's kind.

use std::{fs, path::Path, sync::Arc, time::Duration};

use gx_contract::ChainRole;
use gx_fabric::{
    ca::{Authority, Registration, Registry, Server, ServerTls},
    msp::IdentityFiles,
};
use metrics_exporter_prometheus::PrometheusBuilder;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Found, Outcome, keeper::Keeper};
use crate::{
    clock::{Clock, ManualClock},
    config::Config,
    ops::report::Report,
};

const START_MS: i64 = 1_700_000_000_000;
const DAY_MS: i64 = 86_400_000;

/// An authority that stops with the test, and the settings to ask it.
struct Place {
    folder: TempDir,
    config: Config,
    clock: Arc<ManualClock>,
    _stop: DropGuard,
}

impl Place {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(START_MS));
        let mut config = Config {
            data_dir: folder.path().display().to_string(),
            ..Config::default()
        };
        config.enroll.tls_ca_file = folder.path().join("tls.pem").display().to_string();
        let mut place = Self {
            folder,
            config,
            clock,
            _stop: CancellationToken::new().drop_guard(),
        };
        place.serve(&place.authority("ca")).await;
        place
    }

    fn authority(&self, name: &str) -> Arc<Authority> {
        Arc::new(Authority::create(name, self.clock.now_ms()).unwrap())
    }

    /// Has an authority answer, on a port of its own, with secrets of its own.
    async fn serve(&mut self, authority: &Arc<Authority>) {
        let tls = self.authority("tls");
        fs::write(&self.config.enroll.tls_ca_file, tls.certificate_pem()).unwrap();
        let year = Duration::from_secs(365 * 86_400);
        let names = ["localhost".to_owned()];
        let (certificate, key) = tls.issue_server(&names, START_MS, year).unwrap();
        let tls = ServerTls::from_pem(&certificate, &key).unwrap();
        let known = [
            ("partner", ChainRole::Partner),
            ("admin", ChainRole::Admin),
            ("super_admin", ChainRole::SuperAdmin),
        ]
        .map(|(id, role)| Registration::client(id, Some(role)));
        let enroll = &mut self.config.enroll;
        enroll.partner_secret = known[0].secret.clone();
        enroll.admin_secret = known[1].secret.clone();
        enroll.super_admin_secret = known[2].secret.clone();
        let registry = Registry::default().with("ca", known.into());
        let clock = self.clock.clone();
        let clock: gx_fabric::devnet::Clock = Arc::new(move || clock.now_ms());
        let server = Server::new(vec![("ca".to_owned(), authority.clone())], &registry, clock);
        let server = server.with_ttl(Duration::from_secs(90 * 86_400));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        enroll.url = format!(
            "https://localhost:{}",
            listener.local_addr().unwrap().port()
        );
        let shutdown = CancellationToken::new();
        tokio::spawn(server.serve(listener, tls, shutdown.clone()));
        self._stop = shutdown.drop_guard();
    }

    fn keeper(&self) -> Keeper {
        Keeper::new(&self.config, self.clock.clone()).unwrap()
    }

    fn identity(&self, name: &str) -> IdentityFiles {
        let folder = self.folder.path().join("identities").join(name);
        IdentityFiles::new("MSP", folder.join("cert.pem"), folder.join("key.pem")).unwrap()
    }
}

fn outcomes(found: &Found) -> Vec<Outcome> {
    found.identities.iter().map(|line| line.outcome).collect()
}

#[tokio::test]
async fn each_identity_enrols_once_and_has_its_role() {
    let place = Place::open().await;
    let found = place.keeper().look().await;
    assert_eq!(outcomes(&found), [Outcome::Enrolled; 3]);
    assert!(found.is_sound());
    for (name, role) in [
        ("partner", ChainRole::Partner),
        ("admin", ChainRole::Admin),
        ("super_admin", ChainRole::SuperAdmin),
    ] {
        let identity = place.identity(name).current();
        assert_eq!(identity.certificate().role(), Some(role));
    }
    assert_eq!(outcomes(&place.keeper().look().await), [Outcome::Kept; 3]);
}

#[tokio::test]
async fn a_certificate_is_replaced_when_a_third_of_its_life_is_left() {
    let place = Place::open().await;
    let mut keeper = place.keeper();
    keeper.look().await;
    let files = place.identity("partner");
    let until_ms = files.not_after_ms();
    place.clock.advance_ms(60 * DAY_MS);
    assert_eq!(outcomes(&keeper.look().await), [Outcome::Kept; 3]);
    place.clock.advance_ms(DAY_MS);
    assert_eq!(outcomes(&keeper.look().await), [Outcome::Renewed; 3]);
    assert!(files.reload_if_changed().unwrap());
    assert_eq!(files.not_after_ms(), until_ms + 61 * DAY_MS);
}

#[tokio::test]
async fn one_that_ended_enrols_again_and_without_a_secret_says_which_is_missing() {
    let mut place = Place::open().await;
    place.keeper().look().await;
    place.clock.advance_ms(100 * DAY_MS);
    place.config.enroll.admin_secret = String::new().into();
    let found = place.keeper().look().await;
    assert_eq!(
        outcomes(&found),
        [Outcome::Enrolled, Outcome::Failed, Outcome::Enrolled]
    );
    assert!(!found.is_sound() && found.to_string().contains("enroll.admin_secret"));
}

#[tokio::test]
async fn the_root_of_the_first_enrolment_alone_is_trusted_from_then_on() {
    let mut place = Place::open().await;
    place.config.enroll.admin_id = String::new();
    place.config.enroll.super_admin_id = String::new();
    place.keeper().look().await;
    let before = place.identity("partner").current();
    let stranger = place.authority("ca");
    place.serve(&stranger).await;
    place.clock.advance_ms(100 * DAY_MS);
    let found = place.keeper().look().await;
    assert_eq!(outcomes(&found), [Outcome::Failed]);
    assert!(found.to_string().contains("no authority that is trusted"));
    let after = place.identity("partner").current();
    assert_eq!(after.certificate().pem(), before.certificate().pem());
    let given = place.folder.path().join("given.pem");
    fs::write(&given, stranger.certificate_pem()).unwrap();
    place.config.enroll.ca_certificate_file = given.display().to_string();
    assert_eq!(outcomes(&place.keeper().look().await), [Outcome::Enrolled]);
}

#[tokio::test]
async fn whom_the_authority_refused_rests_so_that_it_is_not_locked() {
    let mut place = Place::open().await;
    let right = place.config.enroll.partner_secret.clone();
    place.config.enroll.partner_secret = "wrong".to_owned().into();
    let mut keeper = place.keeper();
    let recorder = PrometheusBuilder::new().build_recorder();
    let recording = metrics::set_default_local_recorder(&recorder);
    for _ in 0..20 {
        let found = keeper.look().await;
        assert_eq!(found.identities[0].outcome, Outcome::Failed);
        assert!(found.to_string().contains("Authentication failure"));
    }
    drop(recording);
    let counted = "gx_enrolments_total{identity=\"partner\",outcome=\"failed\"} 20";
    assert!(recorder.handle().render().contains(counted));
    place.config.enroll.partner_secret = right;
    let found = place.keeper().look().await;
    assert_eq!(found.identities[0].outcome, Outcome::Enrolled);
}

#[tokio::test]
async fn an_authority_that_is_away_is_asked_again() {
    let place = Place::open().await;
    let mut away = place.config.clone();
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    away.enroll.url = format!("https://localhost:{}", gone.local_addr().unwrap().port());
    drop(gone);
    let mut keeper = Keeper::new(&away, place.clock.clone()).unwrap();
    for _ in 0..2 {
        let found = keeper.look().await;
        assert_eq!(outcomes(&found), [Outcome::Failed; 3]);
        assert!(found.to_string().contains("cannot be reached"), "{found}");
    }
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_named_before_anybody_is_asked() {
    let place = Place::open().await;
    let fault = |change: &dyn Fn(&mut Config)| {
        let mut config = place.config.clone();
        change(&mut config);
        let made = Keeper::new(&config, place.clock.clone());
        format!("{:#}", made.err().unwrap())
    };
    let nowhere = Path::new("nowhere.pem").display().to_string();
    assert!(fault(&|config| config.enroll.url.clear()).contains("enroll.url"));
    assert!(
        fault(&|config| config.enroll.tls_ca_file = nowhere.clone()).contains("enroll.tls_ca_file")
    );
    assert!(
        fault(&|config| config.enroll.ca_certificate_file = nowhere.clone())
            .contains("enroll.ca_certificate_file")
    );
    assert!(
        fault(&|config| {
            let enroll = &mut config.enroll;
            for id in [&mut enroll.partner_id, &mut enroll.admin_id] {
                id.clear();
            }
            enroll.super_admin_id.clear();
        })
        .contains("enroll.partner_id")
    );
}
