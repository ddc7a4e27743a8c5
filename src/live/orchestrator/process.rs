//! One role process as the orchestrator sees it.

use std::{path::Path, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
    sync::mpsc,
};

use crate::live::{
    RoleError,
    control::{Assignment, Order, Part, Report},
};

/// Something that a process said, or its end.
#[derive(Debug)]
pub(super) struct Event {
    /// Which actor on the stage.
    pub actor: usize,
    /// Which process of it: events of one that is gone are stale.
    pub incarnation: u32,
    pub what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Said(Report),
    /// Its stdout is closed and it has been waited for.
    Ended,
}

/// A started process.
pub(super) struct Process {
    pub pid: u32,
    stdin: Option<ChildStdin>,
    kill: Option<tokio::sync::oneshot::Sender<()>>,
}

impl Process {
    /// Starts the program in the assignment's role and hands the assignment over.
    pub async fn spawn(
        program: &Path,
        assignment: Assignment,
        log: &Path,
        actor: usize,
        events: mpsc::UnboundedSender<Event>,
    ) -> Result<Process, RoleError> {
        let log_file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .map_err(RoleError::io(format!("cannot create the log file {}", log.display())))?;
        let mut child = Command::new(program)
            .arg(subcommand(&assignment.part))
            .arg("--orchestrated")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log_file)
            .kill_on_drop(true)
            .spawn()
            .map_err(RoleError::io(format!("cannot start {}", program.display())))?;
        let incarnation = assignment.incarnation;
        let mut process = Process { pid: child.id().unwrap_or(0), stdin: child.stdin.take(), kill: None };
        let (kill, killed) = tokio::sync::oneshot::channel();
        process.kill = Some(kill);
        tokio::spawn(watch_over(child, killed, actor, incarnation, events));
        process.order(&Order::Assign(Box::new(assignment))).await;
        Ok(process)
    }

    /// Sends an order. A process that is gone is noticed by its end, not here.
    pub async fn order(&mut self, order: &Order) {
        let mut line = serde_json::to_string(order).expect("an order is plain data");
        line.push('\n');
        if let Some(stdin) = &mut self.stdin {
            let _ = stdin.write_all(line.as_bytes()).await;
            let _ = stdin.flush().await;
        }
    }

    /// Kills it as `kill -9` does.
    pub fn kill(&mut self) {
        if let Some(kill) = self.kill.take() {
            let _ = kill.send(());
        }
    }

    /// Stops it without killing it, or lets it go on. False where the platform cannot.
    pub fn freeze(&self, frozen: bool) -> bool {
        freeze(self.pid, frozen)
    }
}

fn subcommand(part: &Part) -> &'static str {
    match part {
        Part::Provider { .. } => "provider",
        Part::Receiver { .. } => "receiver",
        Part::Poller { .. } => "poller",
    }
}

/// Passes on what the process says, kills it when told, waits for it.
async fn watch_over(
    mut child: Child,
    mut killed: tokio::sync::oneshot::Receiver<()>,
    actor: usize,
    incarnation: u32,
    events: mpsc::UnboundedSender<Event>,
) {
    let send = |what| drop(events.send(Event { actor, incarnation, what }));
    if let Some(stdout) = child.stdout.take() {
        let mut lines = BufReader::new(stdout).lines();
        let mut open = true;
        loop {
            tokio::select! {
                line = lines.next_line() => match line {
                    Ok(Some(line)) => match serde_json::from_str(&line) {
                        Ok(report) => send(What::Said(report)),
                        Err(_) => send(What::Said(Report::Failed { message: format!("it said {line:?}") })),
                    },
                    _ => break,
                },
                told = &mut killed, if open => {
                    open = false;
                    // The sender is dropped with the process's handle: then it is to die as well.
                    let _ = told;
                    let _ = child.start_kill();
                }
            }
        }
    }
    let _ = child.wait().await;
    send(What::Ended);
}

#[cfg(unix)]
fn freeze(pid: u32, frozen: bool) -> bool {
    use nix::{
        sys::signal::{Signal, kill},
        unistd::Pid,
    };
    let signal = if frozen { Signal::SIGSTOP } else { Signal::SIGCONT };
    i32::try_from(pid).is_ok_and(|pid| pid > 0 && kill(Pid::from_raw(pid), signal).is_ok())
}

#[cfg(not(unix))]
fn freeze(_pid: u32, _frozen: bool) -> bool {
    false
}
