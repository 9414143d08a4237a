//! gRPC as a foreign client speaks it, with JSON on both sides.

use std::{
    io::{BufReader, Read, Write},
    process::{Command, Stdio},
};

use serde_json::{Deserializer, Value};
use tempfile::NamedTempFile;

/// Calls a method at a port, `/package.Service/Method`, and answers its messages: all,
/// or the first ones of a stream that has no end.
///
/// # Panics
/// With what it wrote, if the call failed.
pub(super) fn call(port: u16, path: &str, token: &str, message: &Value, most: usize) -> Vec<Value> {
    let mut set = NamedTempFile::new().unwrap();
    set.write_all(gx_proto::FILE_DESCRIPTOR_SET).unwrap();
    let mut command = Command::new("grpcurl");
    command.args([
        "-plaintext",
        "-emit-defaults",
        "-max-time",
        "60",
        "-protoset",
    ]);
    command.arg(set.path()).args(["-d", &message.to_string()]);
    if !token.is_empty() {
        command.args(["-H", &format!("authorization: Bearer {token}")]);
    }
    command.args([&format!("127.0.0.1:{port}"), path.trim_start_matches('/')]);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("grpcurl is not on PATH: `make tools` installs it");
    let written = BufReader::new(child.stdout.take().unwrap());
    let messages = Deserializer::from_reader(written).into_iter();
    let messages: Vec<Value> = messages.take(most).map(Result::unwrap).collect();
    if messages.len() == most {
        // It may have ended by itself.
        let _ = child.kill();
        child.wait().unwrap();
        return messages;
    }
    let mut told = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut told)
        .unwrap();
    assert!(child.wait().unwrap().success(), "{path}: {told}");
    messages
}
