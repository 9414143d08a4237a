//! A real `gx` on free ports, people of it, and a way to it that can be cut.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use gx_sdk::{GxClient, Qirat, Transfer, identity::*};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use uuid::Uuid;

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Settings of every test: blocks come soon, and no limit is met by accident.
const SETTINGS: [(&str, &str); 6] = [
    ("GX_DEVNET__BATCH_TIMEOUT_MS", "20"),
    ("GX_LIMITS__PUBLIC_PER_S", "1000000"),
    ("GX_LIMITS__PUBLIC_BURST", "1000000"),
    ("GX_LIMITS__DRAIN_MS", "2000"),
    ("GX_LOGIN__WAITING", "10000"),
    ("GX_INSTANCE", "gx-sdk-test"),
];

/// A running `gx`; it ends when it is dropped.
pub(crate) struct Gx {
    process: Child,
    folder: tempfile::TempDir,
    pub(crate) port: u16,
    metrics: u16,
}

/// A verified person with a grant of 500 GX.
pub(crate) struct Person {
    pub(crate) gx: GxClient,
    pub(crate) contact: String,
    pub(crate) account: String,
}

impl Gx {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut process = Command::new(binary())
            .args(["--listen-base", "0"])
            .env_clear()
            .env("GX_DATA_DIR", folder.path())
            .envs(SETTINGS)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("gx starts");
        let log = BufReader::new(process.stderr.take().expect("a pipe"));
        let mut lines = log.lines().map_while(Result::ok);
        let told: Vec<_> = lines
            .by_ref()
            .take_while(|line| !line.contains("GX listens"))
            .collect();
        let of = |name| port_in(folder.path(), name).unwrap_or_else(|| panic!("{told:#?}"));
        let (port, metrics) = (of("identity"), of("metrics"));
        // Nobody reads on, and a full pipe would hold gx up.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            process,
            folder,
            port,
            metrics,
        }
    }

    pub(crate) fn url(&self) -> String {
        url(self.port)
    }

    pub(crate) async fn connect(&self) -> GxClient {
        GxClient::connect(self.url()).await.expect("a connection")
    }

    /// How many calls of a method the server has answered with OK.
    pub(crate) async fn answered(&self, method: &str) -> u32 {
        let mut metrics = TcpStream::connect(("127.0.0.1", self.metrics))
            .await
            .expect("metrics");
        let ask = b"GET /metrics HTTP/1.1\r\nHost: gx\r\nConnection: close\r\n\r\n";
        metrics.write_all(ask).await.expect("asked");
        let mut text = String::new();
        metrics.read_to_string(&mut text).await.expect("told");
        let line = format!("/{method}\",code=\"OK\"}} ");
        let count = text.split(&*line).nth(1).unwrap_or("0");
        let count = count.lines().next().expect("a number");
        count.parse().expect("a number")
    }

    /// Somebody registered, verified and signed in.
    pub(crate) async fn person(&self) -> Person {
        static PEOPLE: AtomicU32 = AtomicU32::new(0);
        let number = PEOPLE.fetch_add(1, Ordering::Relaxed);
        let contact = format!("person-{number}@example.org");
        let anonymous = self.connect().await;
        self.register(&anonymous, &contact).await;
        let gx = anonymous.sign_in(&contact, PASSWORD).await.expect("in");
        let verification = submitted(&gx, number).await;
        let root = std::fs::read_to_string(self.folder.path().join("initial-password"));
        let root = root.expect("a password");
        let staff = anonymous.sign_in("root", root.trim()).await.expect("staff");
        let approve = ApproveVerificationRequest {
            name: verification,
            request_id: Uuid::new_v4().to_string(),
        };
        let approved = staff
            .identity()
            .approve_verification(approve)
            .await
            .expect("taken");
        let opened = approved.settled().await.expect("an account");
        let me = GetMeRequest {
            min_block: opened.block(),
        };
        let me = gx.identity().get_me(me).await.expect("me").user;
        Person {
            gx,
            contact,
            account: me.expect("a user").account,
        }
    }

    async fn register(&self, gx: &GxClient, contact: &str) {
        let start = StartRegistrationRequest {
            contact: contact.to_owned(),
        };
        let identity = gx.identity();
        let started = identity.start_registration(start).await.expect("started");
        let registration_token = started.registration_token;
        let verify = VerifyContactRequest {
            registration_token: registration_token.clone(),
            code: self.code(contact),
        };
        identity.verify_contact(verify).await.expect("verified");
        let complete = CompleteRegistrationRequest {
            registration_token,
            given_names: "Ämilie".to_owned(),
            family_name: "Müller".to_owned(),
            birth_date: "1990-05-17".to_owned(),
            nationality: "DE".to_owned(),
            password: PASSWORD.to_owned(),
        };
        let completed = identity.complete_registration(complete).await;
        completed.expect("completed");
    }

    fn code(&self, contact: &str) -> String {
        let sent = std::fs::read_to_string(self.folder.path().join("codes.jsonl"));
        let sent = sent.expect("codes");
        sent.lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a line"))
            .filter(|line| line["contact"] == contact)
            .filter_map(|line| Some(line["code"].as_str()?.to_owned()))
            .next_back()
            .expect("a code")
    }
}

impl Drop for Gx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Person {
    /// A transfer of theirs that may cost up to 1 GX.
    pub(crate) fn pays(&self, to: &Self, amount: Qirat) -> Transfer {
        let most = Qirat::from_gx("1").expect("an amount");
        Transfer::new(&self.account, &to.account, amount).max_fee(most)
    }

    /// The same person over another way.
    pub(crate) async fn over(&self, way: &Way) -> GxClient {
        self.at(url(way.port)).await
    }

    /// The same person at another place.
    pub(crate) async fn at(&self, url: String) -> GxClient {
        let gx = GxClient::connect(url).await.expect("a way");
        gx.sign_in(&self.contact, PASSWORD).await.expect("in")
    }
}

/// A way to a server that can be cut.
pub(crate) struct Way {
    pub(crate) port: u16,
    /// Whether answers get through; what comes meanwhile is lost.
    answers: watch::Sender<bool>,
    cut: watch::Sender<u32>,
}

impl Way {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let way = Self {
            port: listener.local_addr().expect("an address").port(),
            answers: watch::Sender::new(true),
            cut: watch::Sender::new(0),
        };
        let (answers, cut) = (way.answers.clone(), way.cut.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", port)).await;
                let pass = pass(client, server.expect("gx"), answers.subscribe());
                let mut cut = cut.subscribe();
                tokio::spawn(async move {
                    tokio::select! { () = pass => {}, _ = cut.changed() => {} }
                });
            }
        });
        way
    }

    /// Lets calls through and loses their answers.
    pub(crate) fn lose_answers(&self) {
        self.answers.send_replace(false);
    }

    /// Ends all connections; those to come work.
    pub(crate) fn cut(&self) {
        self.answers.send_replace(true);
        self.cut.send_modify(|cuts| *cuts += 1);
    }
}

async fn pass(client: TcpStream, server: TcpStream, answers: watch::Receiver<bool>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let ask = async { drop(copy(&mut from_client, &mut to_server).await) };
    let answer = async {
        let mut bytes = vec![0; 1 << 16];
        loop {
            let Ok(read @ 1..) = from_server.read(&mut bytes).await else {
                return;
            };
            let gets_through = *answers.borrow();
            if gets_through && to_client.write_all(&bytes[..read]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! { () = ask => {}, () = answer => {} }
}

/// The `gx` that `make sdk` names, or the one that stands where this test was built.
pub(crate) fn binary() -> PathBuf {
    let built = || {
        let test = std::env::current_exe().expect("a path");
        test.ancestors().nth(2).expect("a folder").join("gx")
    };
    std::env::var_os("GX_BINARY").map_or_else(built, Into::into)
}

fn port_in(folder: &Path, name: &str) -> Option<u16> {
    let text = std::fs::read(folder.join("ports.json")).ok()?;
    let ports: serde_json::Value = serde_json::from_slice(&text).ok()?;
    u16::try_from(ports[name].as_u64()?).ok()
}

pub(crate) fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Asks to be verified and answers the verification's name.
async fn submitted(gx: &GxClient, number: u32) -> String {
    let upload = UploadDocumentRequest {
        content: b"\x89PNG\r\n\x1a\nnot much of a picture".to_vec(),
        content_type: "image/png".to_owned(),
    };
    let uploaded = gx.identity().upload_document(upload).await.expect("stored");
    let submit = SubmitVerificationRequest {
        document_type: DocumentType::Passport.into(),
        document_country: "DE".to_owned(),
        document_number: format!("PASSPORT {number}"),
        documents: vec![uploaded.document.expect("a document").name],
    };
    let submitted = gx.identity().submit_verification(submit).await;
    let verification = submitted.expect("submitted").verification;
    verification.expect("a verification").name
}

/// An amount in GX.
pub(crate) fn gx(amount: &str) -> Qirat {
    Qirat::from_gx(amount).expect("an amount")
}

/// A `gx` with two people.
pub(crate) async fn two_people() -> (Gx, Person, Person) {
    let gx = Gx::start();
    let (ann, bee) = (gx.person().await, gx.person().await);
    (gx, ann, bee)
}
