//! Where the time of the passes went: what they wait for is the bottleneck.

use std::ops::AddAssign;
use std::time::{Duration, Instant};

/// The time of all passes together.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct TimeSpent {
    /// Waiting for decoded photographs.
    pub decoding: Duration,
    /// Computing.
    pub computing: Duration,
    /// Waiting until features were taken.
    pub handing_on: Duration,
}

impl TimeSpent {
    /// Shares of decoding, computing and handing on, which add up to 1; zeros where no time was spent.
    pub fn shares(&self) -> [f64; 3] {
        let all = (self.decoding + self.computing + self.handing_on).as_secs_f64().max(1e-9);
        [self.decoding, self.computing, self.handing_on].map(|part| part.as_secs_f64() / all)
    }
}

impl AddAssign for TimeSpent {
    fn add_assign(&mut self, other: Self) {
        self.decoding += other.decoding;
        self.computing += other.computing;
        self.handing_on += other.handing_on;
    }
}

/// Tells the time since it was last asked.
pub(super) struct Stopwatch(Instant);

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn lap(&mut self) -> Duration {
        let now = Instant::now();
        now.duration_since(std::mem::replace(&mut self.0, now))
    }
}
