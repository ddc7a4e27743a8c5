//! Servers as processes of their own, started fresh and killed at the end of a round.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
};

use pushpull::{live::usage, wire::Secret};

/// The variable that a receiver is told its secret in.
const SECRET_VARIABLE: &str = "BENCH_WEBHOOK_SECRET";

/// A server that runs; dropping it kills it.
pub struct Server {
    child: Child,
    /// Where requests go.
    pub listen: SocketAddr,
    /// Where a receiver's metrics are.
    pub admin: Option<SocketAddr>,
}

/// CPU and memory of a process so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// Nanoseconds of CPU, user and system.
    pub cpu_ns: u64,
    /// Peak resident bytes.
    pub peak_rss_bytes: u64,
}

impl Server {
    /// Starts this very binary as the bare server.
    pub fn bare() -> anyhow::Result<Server> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--serve", "bare"]);
        Server::start(command, false)
    }

    /// Starts `pushpull receiver` on a scenario, with its stores and records in `dir`.
    pub fn receiver(dir: &Path, scenario: &str, secret: &Secret) -> anyhow::Result<Server> {
        let file = dir.join("scenario.toml");
        std::fs::write(&file, scenario)?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_pushpull"));
        command.arg("receiver").arg(&file).args(["--listen", "127.0.0.1:0", "--secret-env", SECRET_VARIABLE]);
        command.arg("--out").arg(dir.join("part")).env(SECRET_VARIABLE, secret.reveal());
        Server::start(command, true)
    }

    fn start(mut command: Command, has_admin: bool) -> anyhow::Result<Server> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let mut told = |what: &str| -> anyhow::Result<SocketAddr> {
            let line = lines.next().transpose()?.unwrap_or_default();
            let address = line.split_once(what).and_then(|(_, rest)| rest.split([';', '/', ' ']).next()?.parse().ok());
            address.ok_or_else(|| anyhow::anyhow!("the server did not start: {line}"))
        };
        let listen = told("http://")?;
        let admin = if has_admin { Some(told("http://")?) } else { None };
        // What it says later is of no interest, but it must not wait for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Server { child, listen, admin })
    }

    /// What it has used so far.
    pub fn usage(&self) -> Usage {
        #[cfg(target_os = "linux")]
        if let Some((cpu_ns, peak)) = usage::of_process(self.child.id()) {
            return Usage { cpu_ns, peak_rss_bytes: peak.unwrap_or(0) };
        }
        Usage::default()
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A receiver's metric by its whole name, labels included.
    pub fn metric(&self, name: &str) -> anyhow::Result<u64> {
        let admin = self.admin.ok_or_else(|| anyhow::anyhow!("no admin port"))?;
        let mut stream = TcpStream::connect(admin)?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n")?;
        let mut page = String::new();
        stream.read_to_string(&mut page)?;
        let value = page.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        value.ok_or_else(|| anyhow::anyhow!("no metric {name}"))
    }

    /// `kill -9`: what it acked must be on disk.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}
