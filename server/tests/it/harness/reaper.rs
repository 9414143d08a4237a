//! Ends what the test process leaves behind. Statics are never dropped, and a test
//! process may be killed, so a shell that reads from a pipe waits for the pipe's
//! end and then stops every process that is still entered, by its id, and removes
//! its folder.

use std::{
    io::Write,
    os::unix::process::CommandExt,
    path::Path,
    process::{ChildStdin, Command, Stdio},
    sync::{Mutex, OnceLock},
};

/// Lines are `+ <pid> <signal> <folder>` and `- <pid>`.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
entered=""
while read -r sign pid signal folder; do
  others=""
  for one in $entered; do
    case $one in $pid:*) ;; *) others="$others $one" ;; esac
  done
  entered=$others
  [ "$sign" = + ] && entered="$entered $pid:$signal:$folder"
done
for one in $entered; do
  rest=${one#*:}
  kill -"${rest%%:*}" "${one%%:*}" 2>/dev/null
done
for one in $entered; do
  tries=0
  while kill -0 "${one%%:*}" 2>/dev/null && [ $tries -lt 50 ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
  rest=${one#*:}
  rm -rf "${rest#*:}"
done
"#;

/// Enters a process: should the test process end, it gets the signal and its
/// folder, whose path has no space, is removed.
pub(super) fn enter(pid: u32, signal: &str, folder: &Path) {
    tell(&format!("+ {pid} {signal} {}\n", folder.display()));
}

/// Forgets a process that has ended.
pub(super) fn forget(pid: u32) {
    tell(&format!("- {pid}\n"));
}

fn tell(line: &str) {
    static PIPE: OnceLock<Mutex<ChildStdin>> = OnceLock::new();
    let pipe = PIPE.get_or_init(|| {
        #[expect(
            clippy::zombie_processes,
            reason = "it outlives this process to end its children"
        )]
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("sh");
        Mutex::new(shell.stdin.take().expect("a pipe"))
    });
    let mut pipe = pipe.lock().expect("the pipe");
    pipe.write_all(line.as_bytes()).expect("the reaper reads");
}
