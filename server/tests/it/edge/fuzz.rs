//! A foreign reader of the description sends whatever it can think of: no answer is a
//! fault of the server, and none is outside of what is described.

use std::{
    fmt::Write as _,
    process::{Command, Stdio},
};

use gx_server::ops::interface;

use crate::harness::{Database, Gateway, Gx};

/// How long it may think, in seconds.
const SECONDS: &str = "30";

const CHECKS: &str = "not_a_server_error,status_code_conformance,\
                      content_type_conformance,response_schema_conformance";

/// What ends the session, and streams, which are no one JSON text.
fn left_out() -> Vec<String> {
    let methods = interface::methods(&interface::pool().unwrap()).unwrap();
    let streams = methods.iter().filter(|method| method.is_stream());
    let streams = streams.map(|method| method.descriptor.name().to_owned());
    streams.chain(["Logout".to_owned()]).collect()
}

#[tokio::test]
async fn whatever_is_sent_rest_answers_as_it_is_described() {
    let gx = Gx::start(Database::Sqlite).await;
    let person = gx.person("DE").await;
    let gateway = Gateway::start(&gx).await;
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://127.0.0.1:{}", gateway.port);
    let token = format!("Authorization: Bearer {}", person.client.token());
    let mut command = Command::new("schemathesis");
    command
        .args(["run", &format!("{url}/openapi.json"), "--url", &url])
        .args(["--header", &token, "--checks", CHECKS])
        .args([
            "--phases",
            "examples,coverage,fuzzing",
            "--seed",
            "1",
            "--no-shrink",
        ])
        .args(["--max-examples", "5", "--max-time", SECONDS, "--no-color"])
        .current_dir(folder.path())
        .stdin(Stdio::null());
    for operation in left_out() {
        command.args(["--exclude-operation-id", &operation]);
    }
    let run = move || command.output();
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let output = output.expect("schemathesis is not on PATH: `make tools` installs it");
    let mut told = String::from_utf8_lossy(&output.stdout).into_owned();
    let _ = write!(told, "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}");
    assert!(told.contains("passed"), "{told}");
}
