//! The least that an event queue could do: the standard heap with what each poll draws and records.

use std::{cmp::Reverse, collections::BinaryHeap};

use pushpull::{
    measure::AgeRecorder,
    model::Span,
    rng::{Draws, Purpose},
};

/// Polls of so many clients at 300 s with the jitter of the plan, popped and pushed; tells how many.
pub fn heap(clients: u32, hours: u32) -> u64 {
    const INTERVAL_NS: u64 = 300_000_000_000;
    let (draws, end) = (Draws::new(42), u64::from(hours) * 3_600_000_000_000);
    let due = |client: u32, number: u32| {
        let entity = u64::from(client);
        let phase = draws.below(INTERVAL_NS, Purpose::Phase, entity, 0);
        let shift = draws.unit(Purpose::PollJitter, entity, u64::from(number)) * INTERVAL_NS as f64 * 0.2;
        phase + u64::from(number) * INTERVAL_NS + shift as u64
    };
    let mut heap: BinaryHeap<Reverse<(u64, u32, u32)>> =
        (0..clients).map(|client| Reverse((due(client, 0), client, 0))).collect();
    let (mut polls, mut gaps) = (0, AgeRecorder::new());
    while let Some(Reverse((at, client, number))) = heap.pop() {
        if at >= end {
            break;
        }
        polls += 1;
        let next = due(client, number + 1);
        gaps.record(Span(next - at));
        heap.push(Reverse((next, client, number + 1)));
    }
    assert!(gaps.quantile_s(0.5).is_some());
    polls
}
