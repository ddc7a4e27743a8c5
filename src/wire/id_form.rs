//! How a provider writes the ids of its events: each form is a function of (run id, sequence) that reads back.

use crate::model::{EventId, RunId};

/// A form of event ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdForm {
    /// A prefix, the run's id and the sequence, as pushpull's own (`evt_00c0ffee0001_0000000009`).
    Prefixed(String),
    /// A UUID of version 8, which leaves its bits to whoever makes it: the run's id, whether it was made up by an
    /// attacker, the sequence (`00c0ffee-0001-8000-8000-000000000009`).
    Uuid,
    /// A whole number of 64 bits: 31 of the run's id, one that says whether an attacker made it up, the sequence.
    Number,
}

/// What pushpull's own ids begin with.
const OWN_PREFIX: &str = "evt_";

/// The bits of a run's id that a number has place for.
const RUN_BITS: u64 = (1 << 31) - 1;

impl Default for IdForm {
    fn default() -> IdForm {
        IdForm::Prefixed(OWN_PREFIX.to_owned())
    }
}

impl IdForm {
    /// An id as the provider writes it.
    #[must_use]
    pub fn write(&self, id: EventId) -> String {
        let (run, seq) = (id.run_id.bits(), id.seq);
        match self {
            IdForm::Prefixed(prefix) => format!("{prefix}{}", &id.text()[OWN_PREFIX.len()..]),
            IdForm::Uuid => {
                format!("{:08x}-{:04x}-800{}-8000-{seq:012x}", run >> 16, run & 0xffff, u8::from(id.forged))
            }
            IdForm::Number => ((run & RUN_BITS) << 33 | u64::from(id.forged) << 32 | u64::from(seq)).to_string(),
        }
    }

    /// Reads an id of this form back; `None`: no provider of ours wrote it. A number says only some of its run's id,
    /// so that it is read as one of `run`, or not at all.
    #[must_use]
    pub fn read(&self, text: &str, run: RunId) -> Option<EventId> {
        let id = match self {
            IdForm::Prefixed(prefix) => format!("{OWN_PREFIX}{}", text.strip_prefix(prefix.as_str())?).parse().ok()?,
            IdForm::Uuid => {
                let parts: Vec<&str> = text.split('-').collect();
                let &[high, low, kind, "8000", seq] = parts.as_slice() else { return None };
                let run = u64::from_str_radix(high, 16).ok()? << 16 | u64::from_str_radix(low, 16).ok()?;
                let seq = u32::try_from(u64::from_str_radix(seq, 16).ok()?).ok()?;
                EventId { run_id: RunId::from_bits(run), seq, forged: kind == "8001" }
            }
            IdForm::Number => {
                let bits: u64 = text.parse().ok()?;
                let forged = bits >> 32 & 1 == 1;
                EventId { run_id: run, seq: (bits & u64::from(u32::MAX)) as u32, forged }
            }
        };
        // One text for each id, and each text for one id.
        (self.write(id) == text).then_some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_form_looks_as_its_provider_writes_it() {
        let id = EventId::genuine(RunId::from_bits(0x00c0_ffee_0001), 9);
        let forged = EventId::forged(RunId::from_bits(0x00c0_ffee_0001), 9);
        let shown = |form: IdForm| [form.write(id), form.write(forged)];
        assert_eq!(
            shown(IdForm::Prefixed("Ev".to_owned())),
            ["Ev00c0ffee0001_0000000009", "Ev00c0ffee0001_f0000000009"]
        );
        let uuids = ["00c0ffee-0001-8000-8000-000000000009", "00c0ffee-0001-8001-8000-000000000009"];
        assert_eq!(shown(IdForm::Uuid), uuids);
        assert_eq!(IdForm::default().write(id), id.to_string());
    }

    proptest! {
        #[test]
        fn every_id_reads_back_and_no_other_text_does(bits: u64, seq: u32, forged: bool, text in "\\PC{0,40}") {
            let id = EventId { run_id: RunId::from_bits(bits), seq, forged };
            for form in [IdForm::default(), IdForm::Prefixed("Ev".to_owned()), IdForm::Uuid, IdForm::Number] {
                prop_assert_eq!(form.read(&form.write(id), id.run_id), Some(id));
                if let Some(read) = form.read(&text, id.run_id) {
                    prop_assert_eq!(form.write(read), text.clone());
                }
            }
            prop_assert_eq!(IdForm::Number.read(&IdForm::Number.write(id), RunId::from_bits(bits ^ 1)), None);
        }
    }
}
