//! What a thousand hostile connections cost everybody else: the rate and the latency of a genuine
//! load without and with them in the same round, and the receiver's peak memory.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpSocket};

use crate::{
    Options, ingest,
    site::{Site, Workers},
    support::figures::Figure,
};

/// Hostile connections at a time; the receiver's own limit is below the sum of them and the honest.
const HOSTILE: u64 = 1_000;
/// Honest ones.
const HONEST: usize = 64;
const CONNECTION_LIMIT: u32 = 1_024;
/// Between two bytes of one that dribbles.
const DRIP: Duration = Duration::from_millis(500);
/// Requests that one which never reads sends at once.
const PIPELINED: usize = 400;
/// Bytes of a body of a megabyte that come before the dribbling.
const BODY_BEGUN: usize = 100_000;
/// How long the hostile have to take their places before the honest begin.
const SETTLING: Duration = Duration::from_secs(2);

/// What the hostile share: where to, when to end, and how often they were thrown out.
struct Flood {
    target: SocketAddr,
    over: AtomicBool,
    thrown_out: AtomicU64,
}

/// Measures each queue engine without and with hostile connections.
pub fn run(options: &Options) -> anyhow::Result<Value> {
    println!(
        "\nhostile: {HOSTILE} connections that dribble heads or bodies, idle, or never read; {HONEST} honest ones"
    );
    let honest = Options { connections: HONEST, ..options.clone() };
    let mut result = json!({});
    for queue in &options.queues {
        let (mut alone, mut beside, mut ratio) = (Figure::default(), Figure::default(), Figure::default());
        let (mut p99, mut peak_mb, mut thrown_out) = (Figure::default(), Figure::default(), Figure::default());
        for _ in 0..options.rounds {
            let (quiet, quiet_mb, _) = round(queue, &honest, 0)?;
            let (flooded, flooded_mb, out) = round(queue, &honest, HOSTILE)?;
            alone.note(quiet.0);
            beside.note(flooded.0);
            ratio.note(flooded.0 / quiet.0);
            p99.note(flooded.1);
            // Events that wait in the queue are in memory as well: what the flood adds is the point.
            peak_mb.note(flooded_mb - quiet_mb);
            thrown_out.note(out as f64);
        }
        println!(
            "receiver, {queue:<8} alone {} req/s   beside them {} req/s   ratio {}   p99 {:.2} ms\n\
             {:<18} peak memory beyond that of the load alone {} MB   thrown out {}",
            alone.told(0),
            beside.told(0),
            ratio.told(3),
            p99.median(),
            "",
            peak_mb.told(1),
            thrown_out.told(0)
        );
        result[queue] = json!({
            "alone_per_second": alone.json(), "beside_per_second": beside.json(), "ratio": ratio.json(),
            "beside_p99_ms": p99.json(), "extra_peak_mb": peak_mb.json(), "thrown_out": thrown_out.json(),
        });
    }
    Ok(result)
}

/// Rate and p99 of the honest, peak memory, and how many of the hostile were thrown out.
fn round(queue: &str, options: &Options, hostile: u64) -> anyhow::Result<((f64, f64), f64, u64)> {
    let site = Site::start_with(queue, Workers::Idle, CONNECTION_LIMIT)?;
    let flood =
        Arc::new(Flood { target: site.server.listen, over: AtomicBool::new(false), thrown_out: AtomicU64::new(0) });
    let attackers = (hostile > 0).then(|| {
        let flood = Arc::clone(&flood);
        std::thread::spawn(move || attack(&flood, hostile))
    });
    std::thread::sleep(SETTLING);
    let outcome = ingest::sound(ingest::closed_loop(&site.server, options));
    flood.over.store(true, Ordering::Relaxed);
    let usage = site.server.usage();
    if let Some(attackers) = attackers {
        attackers.join().expect("the attackers do not panic")?;
    }
    let outcome = outcome?;
    site.kill_and_check(queue, &outcome)?;
    let figures = (outcome.rate(), outcome.latency_ms(99.0));
    Ok((figures, usage.peak_rss_bytes as f64 / 1e6, flood.thrown_out.load(Ordering::Relaxed)))
}

/// Holds `hostile` connections at a time until told to end: a quarter of each kind.
fn attack(flood: &Arc<Flood>, hostile: u64) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut all = tokio::task::JoinSet::new();
        for number in 0..hostile {
            let flood = Arc::clone(flood);
            all.spawn(async move {
                while !flood.over.load(Ordering::Relaxed) {
                    let _ = molest(&flood, number).await;
                    if !flood.over.load(Ordering::Relaxed) {
                        flood.thrown_out.fetch_add(1, Ordering::Relaxed);
                    }
                    // A second's wait bounds what the attackers themselves take of the machine.
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            });
        }
        all.join_all().await;
    });
    Ok(())
}

/// One connection's wickedness, until it is thrown out or the flood is over.
async fn molest(flood: &Flood, number: u64) -> std::io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    // Little room for answers that are never read, so that the receiver is left with them.
    socket.set_recv_buffer_size(4_096)?;
    let mut stream = socket.connect(flood.target).await?;
    let kind = Kind::ALL[number as usize % Kind::ALL.len()];
    stream.write_all(&kind.opening()).await?;
    while !flood.over.load(Ordering::Relaxed) {
        tokio::time::sleep(DRIP).await;
        if kind.drips() {
            stream.write_all(b"x").await?;
        }
        // Who never reads finds out when it writes.
        let alive = match kind {
            Kind::NeverReads => stream.try_write(b"x").map(|_| 1),
            _ => stream.try_read(&mut [0; 512]),
        };
        match alive {
            Ok(0) => return Ok(()),
            Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Ways to be in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    EndlessHead,
    EndlessBody,
    Idle,
    NeverReads,
}

impl Kind {
    const ALL: [Kind; 4] = [Kind::EndlessHead, Kind::EndlessBody, Kind::Idle, Kind::NeverReads];

    fn opening(self) -> Vec<u8> {
        match self {
            Kind::EndlessHead => b"POST /webhooks/0 HTTP/1.1\r\nhost: x\r\na: ".to_vec(),
            Kind::EndlessBody => {
                let mut opening = b"POST /webhooks/0 HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n".to_vec();
                opening.resize(opening.len() + BODY_BEGUN, b'x');
                opening
            }
            Kind::Idle => Vec::new(),
            Kind::NeverReads => b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".repeat(PIPELINED),
        }
    }

    fn drips(self) -> bool {
        matches!(self, Kind::EndlessHead | Kind::EndlessBody)
    }
}
