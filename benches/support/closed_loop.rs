//! As much as the server takes: each connection sends its next request when it has the answer.

use std::{
    cell::RefCell,
    io,
    net::SocketAddr,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::LocalSet,
};

use super::{
    Outcome,
    answer::{Front, front},
    requests::Requests,
};

/// A closed loop.
#[derive(Debug, Clone, Copy)]
pub struct ClosedLoop {
    /// Whom to ask.
    pub target: SocketAddr,
    /// Connections, each with one request at a time.
    pub connections: usize,
    /// Threads that drive them.
    pub threads: usize,
    /// Before anything counts.
    pub warm_up: Duration,
    /// What counts.
    pub measured: Duration,
}

/// What the connections of a load share.
struct Shared {
    requests: Arc<Requests>,
    next: AtomicU32,
    over: AtomicBool,
    from: Instant,
    until: Instant,
}

impl ClosedLoop {
    /// Runs it from the first of the requests on.
    pub fn run(&self, requests: &Arc<Requests>) -> Outcome {
        let from = Instant::now() + self.warm_up;
        let shared = Arc::new(Shared {
            requests: Arc::clone(requests),
            next: AtomicU32::new(0),
            over: AtomicBool::new(false),
            from,
            until: from + self.measured,
        });
        let start = |thread| {
            let (target, shared) = (self.target, Arc::clone(&shared));
            let connections = (thread..self.connections).step_by(self.threads).count();
            std::thread::spawn(move || drive(target, connections, &shared))
        };
        let threads: Vec<_> = (0..self.threads).map(start).collect();
        std::thread::sleep(shared.until.saturating_duration_since(Instant::now()));
        shared.over.store(true, Ordering::Relaxed);
        let mut outcome = Outcome::empty(self.measured.as_secs_f64());
        for thread in threads {
            outcome.add(thread.join().expect("the generator does not panic"));
        }
        outcome
    }
}

/// One thread's connections. They note into one outcome: a histogram each would not fit any cache.
fn drive(target: SocketAddr, connections: usize, shared: &Arc<Shared>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let outcome = Rc::new(RefCell::new(Outcome::empty(0.0)));
    let all = LocalSet::new();
    for _ in 0..connections {
        let (shared, outcome) = (Arc::clone(shared), Rc::clone(&outcome));
        all.spawn_local(async move {
            if converse(target, &shared, &outcome).await.is_err() {
                outcome.borrow_mut().broken += 1;
            }
        });
    }
    runtime.block_on(all);
    outcome.replace(Outcome::empty(0.0))
}

async fn converse(target: SocketAddr, shared: &Shared, outcome: &RefCell<Outcome>) -> io::Result<()> {
    let mut stream = TcpStream::connect(target).await?;
    stream.set_nodelay(true)?;
    let mut request = shared.requests.buffer();
    let mut answer = vec![0; 4096];
    while !shared.over.load(Ordering::Relaxed) {
        let offset = shared.next.fetch_add(1, Ordering::Relaxed);
        if offset >= shared.requests.count() {
            outcome.borrow_mut().exhausted = true;
            break;
        }
        shared.requests.write(&mut request, offset);
        let sent = Instant::now();
        stream.write_all(&request).await?;
        let status = read_answer(&mut stream, &mut answer).await?;
        let done = Instant::now();
        let acked = (200..300).contains(&status);
        let mut outcome = outcome.borrow_mut();
        if acked {
            outcome.acked_offsets.push(offset);
        }
        if (shared.from..shared.until).contains(&done) {
            outcome.acked += u64::from(acked);
            outcome.refused += u64::from(!acked);
            outcome.latency.saturating_record((done - sent).as_nanos() as u64);
        }
    }
    Ok(())
}

/// Reads one answer; a server that speaks out of turn is an error.
async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<u16> {
    let mut filled = 0;
    loop {
        let count = stream.read(&mut buffer[filled..]).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        filled += count;
        match front(&buffer[..filled]) {
            Front::Partial => {}
            Front::Whole(status, length) if length == filled => return Ok(status),
            Front::Whole(..) | Front::Broken => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
}
