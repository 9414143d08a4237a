//! `gx enroll` beside the devnet's certificate authorities, whose certificates end soon
//! here: it gets identities, replaces them before they end, and tells no secret.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use gx_fabric::{
    ca::{self, Registry, ServerTls},
    devnet::{Material, system_clock},
    msp::Certificate,
};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::harness::{Staying, tool};

/// How long certificates hold. They say that they hold since five minutes before, so
/// that half of their life is left after a second.
const TTL: Duration = Duration::from_secs(302);
const IDENTITIES: [&str; 3] = ["partner", "admin", "super_admin"];

/// The devnet's authorities, which answer until the test ends.
struct Authorities {
    folder: TempDir,
    port: u16,
    secrets: Vec<String>,
    _stop: DropGuard,
}

impl Authorities {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let material = Material::open(folder.path(), &[], (system_clock())()).unwrap();
        let registry = folder.path().join("registry.json");
        let registry = Registry::load_or_create(&registry, &["ca-org1", "ca-org2"]).unwrap();
        let tls = ServerTls::from_pem(&material.tls.certificate, &material.tls.key).unwrap();
        let server = ca::Server::new(material.authorities(), &registry, system_clock());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shutdown = CancellationToken::new();
        tokio::spawn(server.with_ttl(TTL).serve(listener, tls, shutdown.clone()));
        let secrets = registry.of("ca-org1").iter().map(|known| {
            let secret = known.secret.expose_secret();
            fs::write(folder.path().join(&known.id), format!("{secret}\n")).unwrap();
            secret.to_owned()
        });
        Self {
            secrets: secrets.collect(),
            folder,
            port,
            _stop: shutdown.drop_guard(),
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// A file of an identity that was got.
    fn kept(&self, identity: &str, file: &str) -> PathBuf {
        self.folder.path().join("kept").join(identity).join(file)
    }

    fn certificate(&self, identity: &str) -> Certificate {
        let pem = fs::read_to_string(self.kept(identity, "cert.pem")).unwrap();
        Certificate::from_pem(&pem).unwrap()
    }

    /// Settings that ask `ca-org1`, each secret in a file; `changed` ones come last.
    fn settings(&self, changed: &[(&str, String)]) -> Vec<(String, String)> {
        let url = format!("https://localhost:{}", self.port);
        let settings = [
            ("GX_ENROLL__URL", url),
            ("GX_ENROLL__CA_NAME", "ca-org1".to_owned()),
            ("GX_ENROLL__TLS_CA_FILE", self.path("tls/ca/cert.pem")),
            ("GX_ENROLL__FOLDER", self.path("kept")),
            ("GX_ENROLL__PARTNER_SECRET_FILE", self.path("partner")),
            ("GX_ENROLL__ADMIN_SECRET_FILE", self.path("admin")),
            (
                "GX_ENROLL__SUPER_ADMIN_SECRET_FILE",
                self.path("super_admin"),
            ),
            ("GX_ENROLL__RENEW_LEFT_PERCENT", "50".to_owned()),
            ("GX_ENROLL__CHECK_S", "1".to_owned()),
        ];
        let all = settings.iter().chain(changed);
        all.map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect()
    }

    async fn stay(&self, changed: &[(&str, String)], words: &'static str) -> Staying {
        let settings = self.settings(changed);
        Staying::start("enroll", &borrowed(&settings), words).await
    }

    /// Looks once; whether all identities have a certificate, and what was told.
    async fn once(&self, changed: &[(&str, String)]) -> (bool, String) {
        let settings = self.settings(changed);
        let look = move || tool(&["enroll", "--once"], &borrowed(&settings));
        tokio::task::spawn_blocking(look).await.unwrap()
    }

    fn assert_nothing_secret(&self, told: &str) {
        for secret in &self.secrets {
            assert!(!told.contains(secret), "{told}");
        }
        for identity in IDENTITIES {
            let Ok(key) = fs::read_to_string(self.kept(identity, "key.pem")) else {
                continue;
            };
            for line in key.lines().filter(|line| !line.starts_with('-')) {
                assert!(!told.contains(line), "{told}");
            }
        }
    }
}

fn borrowed(settings: &[(String, String)]) -> Vec<(&str, &str)> {
    let pairs = settings.iter();
    pairs.map(|(key, value)| (&**key, &**value)).collect()
}

fn assert_the_owner_s_alone(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        let folder = path.is_dir();
        let expected = if folder { 0o700 } else { 0o600 };
        assert_eq!(mode, expected, "{}", path.display());
        if folder {
            assert_the_owner_s_alone(&path);
        }
    }
}

#[tokio::test]
async fn identities_are_got_replaced_before_they_end_and_told_by_metrics() {
    let authorities = Authorities::start().await;
    let (done, told) = authorities.once(&[]).await;
    assert!(done, "{told}");
    let first = IDENTITIES.map(|identity| authorities.certificate(identity));

    let enroll = authorities.stay(&[], "identities are kept").await;
    let enroll = enroll
        .said(r#"identity="super_admin" outcome="renewed""#)
        .await;
    let (_, metrics) = enroll.probe("/metrics").await;
    for (identity, before) in IDENTITIES.into_iter().zip(first) {
        let after = authorities.certificate(identity);
        assert!(after.not_after_ms() > before.not_after_ms());
        assert_eq!(after.role(), before.role());
        let label = format!("identity=\"{identity}\"");
        let mut lines = metrics.lines().filter(|line| line.contains(&label));
        assert!(lines.any(|line| line.contains("outcome=\"renewed\"")));
    }
    let left_s = enroll.metric("gx_identity_expires_seconds").await / 3.0;
    assert!(left_s > 0.0 && left_s <= TTL.as_secs_f64(), "{left_s}");
    assert_eq!(enroll.probe("/readyz").await.0, 200);

    assert_the_owner_s_alone(&authorities.folder.path().join("kept"));
    let (ended, log) = enroll.stop().await;
    assert!(ended.success(), "{log}");
    authorities.assert_nothing_secret(&[told, metrics, log].concat());
}

#[tokio::test]
async fn who_stays_without_a_certificate_says_why_and_is_not_ready() {
    let authorities = Authorities::start().await;
    let wrong = authorities.path("wrong");
    fs::write(&wrong, "not the secret").unwrap();
    let wrong = [("GX_ENROLL__ADMIN_SECRET_FILE", wrong)];
    let enroll = authorities
        .stay(&wrong, r#"there is a certificate identity="super_admin""#)
        .await;
    let (status, told) = enroll.probe("/readyz").await;
    assert_eq!(status, 503);
    assert!(told.contains("identity.admin") && told.contains("Authentication failure"));
    assert!(authorities.kept("partner", "key.pem").exists());
    assert!(!authorities.kept("admin", "key.pem").exists());
    let (ended, whole) = enroll.stop().await;
    assert!(ended.success() && whole.contains("Authentication failure"));
    assert!(!whole.contains("not the secret"), "{whole}");
    authorities.assert_nothing_secret(&whole);
}

#[tokio::test]
async fn one_look_that_fails_names_what_is_wrong_and_ends_so() {
    let authorities = Authorities::start().await;
    let wrong = authorities.path("wrong");
    fs::write(&wrong, "not the secret").unwrap();
    let foreign_root = authorities.path("organizations/org2/ca/cert.pem");
    let missing = authorities.path("nowhere");
    for (variable, value, words) in [
        ("PARTNER_SECRET_FILE", wrong, "Authentication failure"),
        (
            "CA_CERTIFICATE_FILE",
            foreign_root.clone(),
            "no authority that is trusted",
        ),
        ("TLS_CA_FILE", foreign_root, "certificate"),
        ("CA_NAME", "ca-org3".to_owned(), "ca-org3"),
        ("ADMIN_SECRET_FILE", missing, "ADMIN_SECRET_FILE"),
    ] {
        let variable = format!("GX_ENROLL__{variable}");
        let (done, told) = authorities.once(&[(&variable, value)]).await;
        assert!(!done && told.contains(words), "{variable}: {told}");
        assert!(
            !told.contains("panicked") && !told.contains("not the secret"),
            "{told}"
        );
        authorities.assert_nothing_secret(&told);
    }
    let (done, told) = authorities.once(&[]).await;
    assert!(done, "{told}");
    authorities.assert_nothing_secret(&told);
}
