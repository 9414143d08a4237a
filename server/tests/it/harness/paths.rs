//! Which way the limits of calls took in systems that were given a Redis: by Redis, or by
//! the process itself. Added up over a run of all tests it proves what the run was of.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    net::TcpStream,
};

use super::server::Server;

impl Server {
    /// Adds a line to the file that `REDIS_PATHS` names, where the system was given a
    /// Redis: its folder, and how often the limits of calls were asked of Redis and of
    /// the process itself, until now and by the processes that run now.
    pub(super) fn tell_paths(&self) {
        let Some(file) = crate::variable("REDIS_PATHS").filter(|_| self.redis.is_some()) else {
            return;
        };
        let running = self.lock();
        let ports = running.iter().flat_map(|(_, ports)| &ports.metrics);
        let texts: String = ports.filter_map(|port| metrics_of(*port)).collect();
        let [redis, process] = ["redis", "process"].map(|path| {
            let sample = format!("gx_rate_checks_total{{path=\"{path}\"}} ");
            let counts = texts.lines().filter_map(|line| line.strip_prefix(&sample));
            counts
                .filter_map(|count| count.parse::<u64>().ok())
                .sum::<u64>()
        });
        let line = format!("{} {redis} {process}\n", self.folder.display());
        let opened = File::options().append(true).create(true).open(file);
        let written = opened.and_then(|mut file| file.write_all(line.as_bytes()));
        written.expect("a line of paths");
    }
}

fn metrics_of(port: u16) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text)
}
