//! Measuring: from the plan and the records to one [`RunResult`].
//!
//! Ages, requests, bytes and processor time are counted here; what became of each obligation and
//! which promises were kept comes from the audit. A saved run can be judged again: nothing but the
//! plan and the records goes in. Percentiles come from histograms and are never averaged.

mod age;
mod agreement;
mod behind;
mod calibrate;
mod cases;
mod conditions;
mod consumer;
mod external;
mod judge;
mod lag;
mod load;
mod looks;
pub mod model;
mod predict;
mod predict_feed;
mod predict_outcome;
mod predict_pages;
mod predict_push;
mod predict_receiver;
mod predict_state;
mod profiles;
mod quantity;
mod recovery;
mod result;
mod series;
mod spending;
mod summary;
mod sweep;
mod switches;
mod tally;
mod uniform;
mod usage;
mod validity;
mod verdicts;
mod waits;
mod weigh;

pub use age::{Age, AgeRecorder};
pub use agreement::{AgreementRow, Finding, agreement};
pub use behind::Behind;
pub use calibrate::{Calibration, Measured, calibrate};
pub use cases::{CaseResults, Cases};
pub use consumer::{ConsumerResult, Cost, Goal};
pub use judge::{judge, judge_dir};
pub use load::Load;
pub use profiles::ProfileResult;
pub use quantity::{QUANTITIES, Quantity, Unit, quantity};
pub use recovery::Recovery;
pub use result::{
    Disturbance, Example, Expectation, Host, ModelRow, OverSeeds, PromiseResult, PromiseVerdict, ProviderResult,
    Results, RunResult, StoryLine, Verdict,
};
pub use series::{Bucket, Series};
pub use summary::{PairedRow, SummaryRow, pair, summarise};
pub use sweep::{
    BreakEven, COMPARED, Cell, CellConsumer, Crossing, Estimate, Point, PointConsumer, Sweep, SweepPlan, crossings,
    difference, grid, point,
};
