//! A fixed rate, whether the server keeps up or not: latency counts from when a request should have
//! been sent, so that a stall is suffered by all who would have come during it.
//!
//! One blocking socket and one thread per connection: a timer of a runtime has a grain of 1 ms,
//! which is what is to be measured; a sleeping thread wakes within microseconds.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Outcome,
    answer::{Front, front},
    requests::Requests,
};

/// An open loop.
#[derive(Debug, Clone, Copy)]
pub struct OpenLoop {
    /// Whom to ask.
    pub target: SocketAddr,
    /// Connections; request k goes over connection k modulo this.
    pub connections: usize,
    /// Requests per second over all of them.
    pub rate: f64,
    /// Before anything counts.
    pub warm_up: Duration,
    /// What counts.
    pub measured: Duration,
}

/// Everybody is connected before the first request is due.
const LEAD: Duration = Duration::from_millis(200);

impl OpenLoop {
    /// Requests that it sends.
    pub fn count(&self) -> u32 {
        ((self.warm_up + self.measured).as_secs_f64() * self.rate) as u32
    }

    /// Sends the first [`OpenLoop::count`] of the requests.
    pub fn run(&self, requests: &Arc<Requests>) -> Outcome {
        let start = Instant::now() + LEAD;
        let begin = |connection| {
            let (load, requests) = (*self, Arc::clone(requests));
            std::thread::spawn(move || load.one(connection, start, &requests))
        };
        let threads: Vec<_> = (0..self.connections).map(begin).collect();
        let mut outcome = Outcome::empty(self.measured.as_secs_f64());
        for thread in threads {
            outcome.add(thread.join().expect("the generator does not panic"));
        }
        outcome
    }

    /// One connection's requests.
    fn one(&self, connection: usize, start: Instant, requests: &Requests) -> Outcome {
        wake_promptly();
        let mut outcome = Outcome::empty(0.0);
        let counts_from = start + self.warm_up;
        let mut speak = || -> io::Result<()> {
            let mut stream = TcpStream::connect(self.target)?;
            stream.set_nodelay(true)?;
            let mut request = requests.buffer();
            for offset in (connection as u32..self.count()).step_by(self.connections) {
                if offset >= requests.count() {
                    outcome.exhausted = true;
                    break;
                }
                requests.write(&mut request, offset);
                let due = start + Duration::from_secs_f64(f64::from(offset) / self.rate);
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                let lag = due.elapsed();
                stream.write_all(&request)?;
                let status = read_answer(&mut stream)?;
                let took = due.elapsed();
                let acked = (200..300).contains(&status);
                if acked {
                    outcome.acked_offsets.push(offset);
                }
                if due >= counts_from {
                    outcome.acked += u64::from(acked);
                    outcome.refused += u64::from(!acked);
                    outcome.latency.saturating_record(took.as_nanos() as u64);
                    outcome.lag.saturating_record(lag.as_nanos() as u64);
                }
            }
            Ok(())
        };
        if speak().is_err() {
            outcome.broken += 1;
        }
        outcome
    }
}

/// Linux may deliver a sleeper's wake-up 50 us late to save power, unless told otherwise.
fn wake_promptly() {
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_timerslack(1);
}

fn read_answer(stream: &mut TcpStream) -> io::Result<u16> {
    let mut buffer = [0; 4096];
    let mut filled = 0;
    loop {
        let count = stream.read(&mut buffer[filled..])?;
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
