//! What goes wrong, on purpose: pure verdicts over keyed draws.
//!
//! A fault never acts. It looks at one request ([`Target`]) and writes what shall happen to it into
//! a [`Fate`]; two appliers carry it out, both at pushpull's own end of a connection: the sender's
//! for webhooks, the pull API's for polls. Never inside the receiver, so the same faults work
//! against somebody else's. Faults of a whole process (crash, stall) leave requests alone; the live
//! orchestrator carries them out.
//!
//! Adding a fault is one file and one line in the `faults!` table below.

mod fate;
mod reach;
mod reference;
mod select;
mod timeline;

pub use fate::{Attack, Copies, Fate, Hold, LossSeen, RequestFate, ResponseFate, Signing, Stop};
pub use reach::Way;
pub use reference::reference;
pub use select::{DrawKey, Odds, Selector, Target, TargetPath};
pub use timeline::{Action, Timeline};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    rng::{Draws, Purpose, PurposeDraws},
    scenario::ConsumerNo,
};

/// What every fault can do. All methods are pure.
pub trait Fault {
    /// One line for the reference.
    const SUMMARY: &'static str;
    /// What it can hit.
    const HITS: Hits;
    /// Why it cannot hit polls, where it hits webhooks only.
    const WHY_NOT_PULL: &'static str = "";

    /// Why it cannot act in virtual time, where it cannot.
    const WHY_NOT_VIRTUAL: &'static str = "";

    /// What it can hit with these attributes.
    fn hits(&self) -> Hits {
        Self::HITS
    }

    /// Why it cannot hit polls with these attributes, where it cannot.
    fn why_not_pull(&self) -> &'static str {
        Self::WHY_NOT_PULL
    }

    /// Whether it has anything to do with a request that the selector has chosen.
    fn concerns(&self, _target: &Target) -> bool {
        true
    }

    /// Writes what shall happen to a request that the selector has chosen. `key` draws sizes.
    fn apply(&self, _target: &Target, _key: DrawKey, _draws: Draws, _fate: &mut Fate) {}

    /// Divides the scenario times among its own keys by `time_scale`.
    fn scale(&mut self, _time_scale: f64) {}

    /// Refuses attributes that make no sense together.
    fn validate(&self, _selector: &Selector) -> Result<(), FaultProblem> {
        Ok(())
    }
}

/// What a fault can hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hits {
    /// Webhook attempts.
    pub webhooks: bool,
    /// Polls.
    pub polls: bool,
    /// The consumer's process.
    pub process: bool,
}

/// One kind of fault, for tables.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// Its name in a scenario file.
    pub name: &'static str,
    /// One line for the reference.
    pub summary: &'static str,
    /// What it can hit.
    pub hits: Hits,
    /// Why it cannot hit polls, where it hits webhooks only.
    pub why_not_pull: &'static str,
    /// Why it cannot act in virtual time, where it cannot.
    pub why_not_virtual: &'static str,
}

/// A combination of attributes that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultProblem {
    /// The offending key.
    pub key: &'static str,
    /// What is wrong with it.
    pub problem: String,
    /// What to write instead.
    pub fix: String,
}

/// One `[[fault]]`, resolved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaultPlan {
    /// Its place in the file, from 0; part of its draws' key.
    pub index: u16,
    /// What it does.
    pub kind: FaultKind,
    /// The consumers it hits.
    pub consumers: Vec<ConsumerNo>,
    /// Which of their requests.
    pub selector: Selector,
}

impl FaultPlan {
    /// Whether it does something to this request.
    #[must_use]
    pub fn hits(&self, target: &Target, draws: Draws) -> bool {
        self.may_hit(target.consumer, target.path) && self.chooses(target, draws.purpose(Purpose::FaultHit))
    }

    /// Whether it concerns a consumer's requests of this kind at all.
    #[must_use]
    pub fn may_hit(&self, consumer: ConsumerNo, path: TargetPath) -> bool {
        self.kind.hits_path(path) && self.consumers.contains(&consumer) && self.selector.takes(path)
    }

    /// Whether it does something to this request, which it may hit. `draws` are those of [`Purpose::FaultHit`].
    #[must_use]
    #[inline]
    pub fn chooses(&self, target: &Target, draws: PurposeDraws) -> bool {
        self.kind.concerns(target) && self.selector.hits(target, self.index, draws)
    }
}

/// The fate of one request under these faults, in file order. One that is left out changes nothing of what
/// the others do: each draws under its own index.
#[must_use]
pub fn decide<'a>(faults: impl IntoIterator<Item = &'a FaultPlan>, target: &Target, draws: Draws) -> Fate {
    let mut fate = Fate::default();
    for fault in faults {
        if fault.hits(target, draws) {
            fault.kind.apply(target, select::draw_key(target, fault.index), draws, &mut fate);
            fate.hits.push(fault.index);
        }
    }
    fate
}

/// Expands the table of faults to modules, the tagged enum of their options and its dispatch.
macro_rules! faults {
    ($($name:literal => $module:ident :: $options:ident),+ $(,)?) => {
        $(mod $module; pub use $module::$options;)+

        /// What a fault does, with its attributes: `kind = "..."` in the scenario file.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind")]
        pub enum FaultKind {
            $(#[doc = $name] #[serde(rename = $name)] $options($options),)+
        }

        impl FaultKind {
            /// Every kind.
            pub const TABLE: &'static [Kind] = &[$(Kind {
                name: $name,
                summary: <$options as Fault>::SUMMARY,
                hits: <$options as Fault>::HITS,
                why_not_pull: <$options as Fault>::WHY_NOT_PULL,
                why_not_virtual: <$options as Fault>::WHY_NOT_VIRTUAL,
            }),+];

            /// The name in the scenario file.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(FaultKind::$options(_) => $name),+ }
            }

            /// What it can hit.
            #[must_use]
            pub fn can_hit(&self) -> Hits {
                match self { $(FaultKind::$options(options) => options.hits()),+ }
            }

            /// Why it cannot hit polls, where it cannot.
            #[must_use]
            pub fn why_not_pull(&self) -> &'static str {
                match self { $(FaultKind::$options(options) => options.why_not_pull()),+ }
            }

            /// Why it cannot act in virtual time, where it cannot.
            #[must_use]
            pub fn why_not_virtual(&self) -> &'static str {
                match self { $(FaultKind::$options(_) => <$options as Fault>::WHY_NOT_VIRTUAL),+ }
            }

            /// Divides its scenario times by `time_scale`.
            pub fn scale(&mut self, time_scale: f64) {
                match self { $(FaultKind::$options(options) => options.scale(time_scale)),+ }
            }

            /// Refuses attributes that make no sense together.
            pub fn validate(&self, selector: &Selector) -> Result<(), FaultProblem> {
                match self { $(FaultKind::$options(options) => options.validate(selector)),+ }
            }

            #[inline]
            fn concerns(&self, target: &Target) -> bool {
                match self { $(FaultKind::$options(options) => options.concerns(target)),+ }
            }

            fn apply(&self, target: &Target, key: DrawKey, draws: Draws, fate: &mut Fate) {
                match self { $(FaultKind::$options(options) => options.apply(target, key, draws, fate)),+ }
            }
        }
    };
}

faults! {
    "delay" => delay::Delay,
    "drop-request" => drop_request::DropRequest,
    "drop-ack" => drop_ack::DropAck,
    "reset" => reset::Reset,
    "respond" => respond::Respond,
    "duplicate" => duplicate::Duplicate,
    "forge" => forge::Forge,
    "replay" => replay::Replay,
    "reorder" => reorder::Reorder,
    "corrupt" => corrupt::Corrupt,
    "slow-body" => slow_body::SlowBody,
    "clock-skew" => clock_skew::ClockSkew,
    "rotate-secret" => rotate_secret::RotateSecret,
    "outage" => outage::Outage,
    "crash" => crash::Crash,
    "stall" => stall::Stall,
}

pub use corrupt::{Damage, DamagedPart};
pub use crash::CrashPoint;
pub use forge::ForgeMethod;
pub use outage::OutageManner;
pub use stall::StallTarget;

impl FaultKind {
    /// Whether it kills or stops a process, rather than what the process works with.
    #[must_use]
    pub fn stops_process(&self) -> bool {
        match self {
            FaultKind::Crash(_) => true,
            FaultKind::Stall(stall) => stall.what == StallTarget::Process,
            _ => false,
        }
    }

    fn hits_path(&self, path: TargetPath) -> bool {
        match path {
            TargetPath::Webhook => self.can_hit().webhooks,
            TargetPath::Poll => self.can_hit().polls,
        }
    }
}

impl Hits {
    /// Webhook attempts and polls.
    pub const REQUESTS: Hits = Hits { webhooks: true, polls: true, process: false };
    /// Webhook attempts only.
    pub const WEBHOOKS: Hits = Hits { webhooks: true, polls: false, process: false };
    /// The consumer's process.
    pub const PROCESS: Hits = Hits { webhooks: false, polls: false, process: true };
}

#[cfg(test)]
mod tests;
