//! A socket that hears nothing more from a peer which does not read: its answers would pile up.

use std::{io, task::Poll};

use super::places::Place;
use crate::live::watched_io::{Watch, WatchedIo};

/// A stream that notes in its place whether a write waits for the peer, and reads nothing meanwhile.
pub(super) type PatientIo<S> = WatchedIo<S, Place>;

impl Watch for Place {
    /// The write that waits wakes the task.
    fn may_read(&self) -> bool {
        !self.is_blocked()
    }

    fn written(&self, polled: &Poll<io::Result<usize>>) {
        self.block(polled.is_pending());
    }
}
