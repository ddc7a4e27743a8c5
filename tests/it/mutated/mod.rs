//! Parsers of bytes from outside under mutated inputs: none panics, and signatures are accepted exactly where a
//! verifier written independently accepts them.
//!
//! `PUSHPULL_MUTATIONS=10000000 cargo test --release --test it mutated` is the long way; each input follows from its
//! number, so that a failure can be repeated.

mod mutator;
mod parsers;
mod reference;
mod signatures;

use mutator::Mutator;

/// How many inputs are tried.
fn inputs() -> u64 {
    #[allow(clippy::disallowed_methods, reason = "a test may be told how long to take")]
    let told = std::env::var("PUSHPULL_MUTATIONS").ok();
    told.map_or(4_000, |text| text.parse().expect("PUSHPULL_MUTATIONS is a number"))
}

/// Tries every input by its number, on all processors; returns what each came to, added up.
fn each_input(check: impl Fn(&mut Mutator) -> [u64; 2] + Sync) -> [u64; 2] {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as u64;
    let all = inputs();
    let check = &check;
    let sums = std::thread::scope(|scope| {
        let run = move |first: u64| {
            let numbers = (first..all).step_by(threads as usize);
            numbers.fold([0, 0], |sum: [u64; 2], number| {
                let one = check(&mut Mutator::new(number));
                [sum[0] + one[0], sum[1] + one[1]]
            })
        };
        let handles: Vec<_> = (0..threads).map(|first| scope.spawn(move || run(first))).collect();
        handles.into_iter().map(|handle| handle.join().expect("no input makes a parser panic")).collect::<Vec<_>>()
    });
    sums.iter().fold([0, 0], |sum, one| [sum[0] + one[0], sum[1] + one[1]])
}
