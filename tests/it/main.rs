//! The tests that run the program itself. One binary, one module per concern.

/// The rooms import only what they may.
mod rooms;

/// What the documents say of the tree is true of it.
mod documents;

/// Bad input: one clear error that names the key, the line and the fix, exit 2, nothing half-written.
mod bad_input;

/// Bad input: what one mode knows and the other does not.
mod bad_mode;

/// Bad input of polling strategies.
mod bad_strategies;

/// How tests run the program and read what it wrote.
mod support;

/// The main job: acks are dropped, and nothing is lost or applied twice.
mod dropped_acks;

/// Each class of the books, reached by a real run.
mod books;

/// Advice from plain numbers.
mod advise;

/// Bills, and the price lists that they are made from.
mod costs;

/// Closed forms beside what was measured.
mod forms;

/// `kill -9` at random instants and at named points.
mod crashes;

/// Workloads in real runs: captured events sent again, and bursts.
mod workloads;

/// Receivers and pollers that are wrong on purpose are caught, each for its own promise.
mod wrong_consumers;

/// A receiver that is somebody else's.
mod foreign_receiver;

/// The harness itself: stalls show, nothing is left running, a run can be repeated.
mod honesty;

/// What sets one provider apart from another.
mod profiles;
mod provider_manners;

/// The parts on their own, and the commands around a run.
mod commands;

/// Each fault does what it says in a real run.
mod more_faults;

/// Every polling strategy loses nothing, and behaves as it says.
mod strategies;

/// Polling for states instead of events.
mod states;

/// Effects in somebody else's system.
mod outbox;

/// A webhook and a reconciling poll of one client.
mod hybrid;

/// The control API of a provider that somebody started.
mod control_api;

/// Many at once.
#[cfg(unix)]
mod scale;

/// The intervals of single runs hold the closed forms as often as they say.
mod coverage;

/// Sweeps, their break-even points, and shards that merge.
mod sweep;

/// Cases and seeds.
mod cases;

/// Virtual time: the same plan, the same bytes, the same findings as over real sockets.
mod virtual_time;

/// One seed makes the same records, byte for byte.
mod same_records;

/// The scenarios that repeat published results.
mod published;

/// Signatures of real providers.
mod signatures;

/// Both directions against the official libraries.
mod sdk;

/// Parsers of bytes from outside, under millions of mutated inputs.
mod mutated;
