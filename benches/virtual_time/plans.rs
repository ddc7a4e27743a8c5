//! What is driven.

use pushpull::{
    model::RunId,
    scenario::{LoadOptions, Mode, Plan, load},
};

/// Polls that find nothing, a fault that hits one in a thousand, and one event a day.
pub fn stepping(clients: u32, hours: u32) -> Plan {
    plan(&format!(
        "title = \"Stepping\"\nduration = \"{hours}h\"\n\
         [workload]\narrivals = {{ kind = \"constant\", rate = \"1/day\" }}\nsubjects = {clients}\n\
         [[consumer]]\nname = \"pollers\"\nkind = \"polling\"\nclients = {clients}\n\
         strategy = {{ kind = \"fixed\", interval = \"300s\", jitter = 0.2 }}\n\
         [[fault]]\nkind = \"delay\"\ndelay = \"20ms\"\nprobability = 0.001\n"
    ))
}

/// 43.2 billion polls, ten million of which find an event.
pub fn skipping() -> Plan {
    plan(
        "title = \"Skipping\"\nduration = \"720h\"\n\
         [workload]\narrivals = { kind = \"poisson\", rate = \"333334/day\" }\nsubjects = 1000000\n\
         [[consumer]]\nname = \"pollers\"\nkind = \"polling\"\nclients = 1000000\n\
         strategy = { kind = \"fixed\", interval = \"60s\" }\n",
    )
}

/// A million events whose deliveries are retried for three days.
pub fn retries() -> Plan {
    plan(
        "title = \"Three days\"\nduration = \"1000s\"\n\
         [workload]\narrivals = { kind = \"poisson\", rate = \"1000/s\" }\nsubjects = 1000\n\
         [[provider]]\nretry = \"classic\"\nconcurrency = 1000\n\
         [[consumer]]\nname = \"receiver\"\nkind = \"webhook\"\n\
         [[fault]]\nkind = \"drop-ack\"\nprobability = 0.05\n",
    )
}

fn plan(text: &str) -> Plan {
    let options = LoadOptions { mode: Some(Mode::Virtual), ..LoadOptions::new("bench", RunId::from_bits(1)) };
    load(text, &options).unwrap_or_else(|error| panic!("{error}"))
}
