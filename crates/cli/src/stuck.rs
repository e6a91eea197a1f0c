//! Ending although something does not return.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use convbase_core::Interrupt;
use convbase_core::exit::Outcome;
use tracing::warn;

/// Ends the program as interrupted when it has not ended by itself so long after a signal: a read from a disk that has
/// gone away may never return, and no thread can be asked to leave it. For work of which only what is finished counts.
/// Fails when no thread can be started.
pub fn end_after(interrupt: &Interrupt, grace: Duration) -> io::Result<()> {
    let interrupt = interrupt.clone();
    let watch = move || {
        while !interrupt.is_set() {
            thread::sleep(Duration::from_millis(50));
        }
        let asked = Instant::now();
        while asked.elapsed() < grace {
            thread::sleep(Duration::from_millis(50));
        }
        warn!(
            "interrupted; something did not return within {} s and is left: what is finished is kept",
            grace.as_secs()
        );
        std::process::exit(Outcome::INTERRUPTED.into());
    };
    thread::Builder::new().name("end".to_owned()).spawn(watch).map(drop)
}
