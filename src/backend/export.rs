//! What a consumer's stores hold after a run, as records: the truth that outlives its processes.

use std::path::Path;

use rusqlite::{Connection, params};

use super::{
    Item, StoreError,
    sqlite::{CURSOR_FILE, DOWNSTREAM_FILE, ITEM_COLUMNS, LEDGER_FILE, QUEUE_FILE, error_in, open_to_read, read_item},
};
use crate::{
    model::{EventId, RunId, Time},
    policy::poll::SCAN_CURSOR,
    record::{CursorPosition, EffectRow, Obligation, Record},
    scenario::{ConsumerNo, Plan},
};

/// What is in a consumer's folder, all at once.
pub fn export(dir: &Path, plan: &Plan, consumer: ConsumerNo) -> Result<Vec<Record>, StoreError> {
    let mut records = Vec::new();
    export_each(dir, plan, consumer, &mut |record| records.push(record))?;
    Ok(records)
}

/// Calls `each` for what is in a consumer's folder: a million effects need not be in memory to be
/// written down. Files that are not there hold nothing; another run's events are another run's.
pub fn export_each(
    dir: &Path,
    plan: &Plan,
    consumer: ConsumerNo,
    each: &mut dyn FnMut(Record),
) -> Result<(), StoreError> {
    let reader = Reader { run_id: plan.run_id, consumer };
    let files: [(&str, ReadFile); 4] = [
        (LEDGER_FILE, Reader::business),
        (DOWNSTREAM_FILE, Reader::calls),
        (QUEUE_FILE, Reader::waiting),
        (CURSOR_FILE, Reader::cursors),
    ];
    for (file, read) in files {
        let path = dir.join(file);
        if let Some(connection) = open_to_read(&path)? {
            read(&reader, &connection, each).map_err(error_in(&path))?;
        }
    }
    Ok(())
}

type ReadFile = fn(&Reader, &Connection, &mut dyn FnMut(Record)) -> rusqlite::Result<()>;

struct Reader {
    run_id: RunId,
    consumer: ConsumerNo,
}

/// Whose event an id names.
enum Whose {
    /// This run's; `forged` where the provider never gave it out.
    Ours { seq: u32, forged: bool },
    /// Another run's genuine event.
    AnotherRun,
}

impl Reader {
    fn whose(&self, event_id: &str) -> Whose {
        match event_id.parse::<EventId>() {
            Ok(id) if id.run_id == self.run_id => Whose::Ours { seq: id.seq, forged: id.forged },
            Ok(id) if !id.forged => Whose::AnotherRun,
            // An id that no provider of ours could have given out.
            Ok(_) | Err(_) => Whose::Ours { seq: 0, forged: true },
        }
    }

    fn business(&self, connection: &Connection, each: &mut dyn FnMut(Record)) -> rusqlite::Result<()> {
        self.effects(connection, each)?;
        let mut rows = connection.prepare("SELECT client, event_id FROM outbox ORDER BY id")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let event_id: String = row.get(1)?;
            if let Whose::Ours { seq, forged } = self.whose(&event_id) {
                each(Record::Outgoing {
                    what: Obligation { consumer: self.consumer, client: row.get(0)?, seq },
                    forged,
                });
            }
        }
        Ok(())
    }

    /// What somebody else's system says that it was asked for.
    fn calls(&self, connection: &Connection, each: &mut dyn FnMut(Record)) -> rusqlite::Result<()> {
        let mut rows =
            connection.prepare("SELECT client, event_id, at, effected FROM call WHERE run_id = ?1 ORDER BY id")?;
        let mut rows = rows.query(params![self.run_id.to_string()])?;
        while let Some(row) = rows.next()? {
            let event_id: String = row.get(1)?;
            if let Whose::Ours { seq, forged } = self.whose(&event_id) {
                each(Record::ExternalCall {
                    what: Obligation { consumer: self.consumer, client: row.get(0)?, seq },
                    at: Time(row.get::<_, i64>(2)?.max(0) as u64),
                    effected: row.get(3)?,
                    forged,
                });
            }
        }
        Ok(())
    }

    fn effects(&self, connection: &Connection, each: &mut dyn FnMut(Record)) -> rusqlite::Result<()> {
        let mut rows = connection.prepare(
            "SELECT client, event_id, subject, version, at, superseded FROM effect WHERE run_id = ?1 ORDER BY id",
        )?;
        let mut rows = rows.query(params![self.run_id.to_string()])?;
        while let Some(row) = rows.next()? {
            let event_id: String = row.get(1)?;
            if let Whose::Ours { seq, forged } = self.whose(&event_id) {
                each(Record::Effect(EffectRow {
                    what: Obligation { consumer: self.consumer, client: row.get(0)?, seq },
                    subject: row.get(2)?,
                    version: row.get(3)?,
                    at: Time(row.get::<_, i64>(4)?.max(0) as u64),
                    forged,
                    superseded: row.get(5)?,
                }));
            }
        }
        Ok(())
    }

    fn waiting(&self, connection: &Connection, each: &mut dyn FnMut(Record)) -> rusqlite::Result<()> {
        for (table, dead) in [("queue", false), ("dead_letter", true)] {
            let mut rows = connection.prepare(&format!("SELECT {ITEM_COLUMNS} FROM {table} ORDER BY id"))?;
            for item in rows.query_map([], read_item)? {
                waiting_record(self, &item?, dead).into_iter().for_each(&mut *each);
            }
        }
        Ok(())
    }

    fn cursors(&self, connection: &Connection, each: &mut dyn FnMut(Record)) -> rusqlite::Result<()> {
        let mut rows = connection.prepare("SELECT client, position FROM cursor WHERE run_id = ?1 ORDER BY client")?;
        let mut rows = rows.query(params![self.run_id.to_string()])?;
        while let Some(row) = rows.next()? {
            let text: String = row.get(1)?;
            // Skipping it would make a client look as if it had never polled.
            let passed = cursor_position(&text).ok_or_else(|| {
                let problem = format!("{text:.40} is no cursor").into();
                rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, problem)
            })?;
            each(Record::Cursor { consumer: self.consumer, client: row.get(0)?, passed });
        }
        Ok(())
    }
}

fn waiting_record(reader: &Reader, item: &Item, dead: bool) -> Option<Record> {
    let Whose::Ours { seq, forged } = reader.whose(&item.event_id) else { return None };
    let what = Obligation { consumer: reader.consumer, client: item.client, seq };
    Some(if dead { Record::DeadLetter { what, forged } } else { Record::Queued { what, forged } })
}

/// The records of items that a consumer keeps in memory only, written as it ends.
#[must_use]
pub fn volatile_records(run_id: RunId, consumer: ConsumerNo, (waiting, dead): (Vec<Item>, Vec<Item>)) -> Vec<Record> {
    let reader = Reader { run_id, consumer };
    let waiting = waiting.iter().filter_map(|item| waiting_record(&reader, item, false));
    waiting.chain(dead.iter().filter_map(|item| waiting_record(&reader, item, true))).collect()
}

/// A cursor's text: a sequence, or a letter and an instant in nanoseconds.
fn cursor_position(text: &str) -> Option<CursorPosition> {
    let instant = |ns: &str| ns.parse().ok().map(Time);
    match (text.strip_prefix('t'), text.strip_prefix(SCAN_CURSOR)) {
        (Some(ns), _) => instant(ns).map(CursorPosition::Created),
        (_, Some(ns)) => instant(ns).map(CursorPosition::UpdatedSince),
        (None, None) => text.parse().ok().map(CursorPosition::Seq),
    }
}
