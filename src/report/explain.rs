//! One event's story, for people.

use std::fmt::Write as _;

use crate::{
    audit::{Source, Story, consumer_of, obligation_of, tell},
    measure::{PromiseVerdict, judge},
    model::{Seq, Span, Time},
    record::{Obligation, ReadError, Record},
    scenario::{ConsumerNo, Plan},
};

/// Tells what happened to event `which` at every consumer. Without it, tells of the worst event: the
/// example of the gravest broken promise, else the one that took longest to take effect.
pub fn explain(plan: &Plan, source: &Source<'_>, which: Option<Seq>) -> Result<String, ReadError> {
    let (seq, why) = match which {
        Some(seq) => (seq, "asked for".to_owned()),
        None => match worst(plan, source)? {
            Some(found) => found,
            None => return Ok("No event has a story: nothing was emitted.\n".to_owned()),
        },
    };
    let whom = parties(plan, source, seq)?;
    let mut text = format!("Event {seq} ({why})\n");
    if whom.is_empty() {
        let _ = writeln!(text, "\nNo record names it: the run emitted no such event, or nobody was due to get it.");
        return Ok(text);
    }
    for story in tell(plan, source, &whom)? {
        write_story(&mut text, plan, &story);
    }
    text.push_str("\nTimes count from the event's scheduled instant.\n");
    Ok(text)
}

fn write_story(text: &mut String, plan: &Plan, story: &Story) {
    let name = plan.consumers.get(usize::from(story.what.consumer)).map_or("?", |consumer| &consumer.name);
    let at = story.occurred_at.map_or(String::new(), |at| format!(", event at {}", Span(at.0)));
    let _ = writeln!(text, "\n{name}, client {}{at}", story.what.client);
    let whens: Vec<String> = story.lines.iter().map(|line| story.when(line)).collect();
    let width = whens.iter().map(String::len).max().unwrap_or(0);
    for (when, line) in whens.iter().zip(&story.lines) {
        let _ = writeln!(text, "  {when:>width$}  {}", line.text);
    }
}

/// The worst event and why it is the worst.
fn worst(plan: &Plan, source: &Source<'_>) -> Result<Option<(Seq, String)>, ReadError> {
    let run = judge(plan, source)?;
    let broken = run.promises.iter().filter(|promise| promise.verdict == PromiseVerdict::Broken);
    let example = broken.filter_map(|promise| promise.example.as_ref().map(|example| (promise, example))).next();
    if let Some((promise, example)) = example {
        let why = format!("an example of a broken promise of {}: {}", promise.consumer, promise.promise);
        return Ok(Some((example.event, why)));
    }
    oldest(source)
}

/// The event whose first effect at any client came latest after its instant. Reads twice, because
/// effects may be recorded before the events that caused them.
fn oldest(source: &Source<'_>) -> Result<Option<(Seq, String)>, ReadError> {
    let mut occurred: Vec<Option<Time>> = Vec::new();
    source(&mut |record| {
        if let Record::Emitted { event, .. } = record {
            // Sequences have no gaps, so this grows by one event at a time.
            let place = event.seq as usize;
            if place <= occurred.len() + 1 {
                occurred.resize(occurred.len().max(place + 1), None);
                occurred[place] = Some(event.occurred_at);
            }
        }
    })?;
    let mut oldest: Option<(Span, Seq)> = None;
    source(&mut |record| {
        if let Record::Effect(row) = record
            && !row.forged
            && let Some(at) = occurred.get(row.what.seq as usize).copied().flatten()
        {
            oldest = oldest.max(Some((row.at.since(at), row.what.seq)));
        }
    })?;
    let first = (1..).zip(occurred.iter().skip(1)).find(|(_, at)| at.is_some()).map(|(seq, _)| seq);
    Ok(match oldest {
        Some((age, seq)) => Some((seq, format!("no promise was broken; it took longest to take effect, {age}"))),
        None => first.map(|seq| (seq, "nothing took effect; it was the first".to_owned())),
    })
}

/// Everybody whom the event was due to, or whom a record says that it concerned.
fn parties(plan: &Plan, source: &Source<'_>, seq: Seq) -> Result<Vec<Obligation>, ReadError> {
    const PARTIES_MAX: usize = 50;
    let mut whom: Vec<Obligation> = Vec::new();
    source(&mut |record| {
        let before = whom.len();
        if let Record::Emitted { event, .. } = record
            && event.seq == seq
        {
            for (no, consumer) in plan.consumers.iter().enumerate() {
                let due = consumer.clients_of(event.subject).take(PARTIES_MAX);
                whom.extend(due.map(|client| Obligation { consumer: no as ConsumerNo, client, seq }));
            }
        }
        let known = consumer_of(&record).is_some_and(|no| usize::from(no) < plan.consumers.len());
        whom.extend(obligation_of(&record).filter(|what| known && what.seq == seq));
        if whom.len() > before {
            whom.sort_unstable();
            whom.dedup();
            whom.truncate(PARTIES_MAX);
        }
    })?;
    Ok(whom)
}
