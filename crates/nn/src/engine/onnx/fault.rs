//! What tract says when it fails, whether as an error or by a panic.

use std::any::Any;
use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use tract_onnx::prelude::{TractError, TractResult};

/// A failure of the engine, on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault(String);

/// Messages of tract may hold whole nodes with their weights.
const MOST_CHARACTERS: usize = 400;

impl Fault {
    fn new(text: &str) -> Self {
        let words: Vec<&str> = text.split_whitespace().collect();
        let line = words.join(" ");
        match line.char_indices().nth(MOST_CHARACTERS) {
            Some((end, _)) => Self(format!("{} …", line.get(..end).unwrap_or_default())),
            None => Self(line),
        }
    }

    fn of_error(error: &TractError) -> Self {
        let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
        Self::new(&causes.join(": "))
    }

    fn of_panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Self::new(text.unwrap_or("it stopped without a message"))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Error for Fault {}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a computation of tract. A graph of a stranger can make tract panic; that is an error of this file and not the
/// end of the program, so nothing is printed either.
pub(super) fn guarded<T>(compute: impl FnOnce() -> TractResult<T>) -> Result<T, Fault> {
    static QUIET_HOOK: Once = Once::new();
    QUIET_HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                usual(info);
            }
        }));
    });
    let before = GUARDED.replace(true);
    // A graph half built is dropped with the closure, so no broken state is seen afterwards.
    let outcome = panic::catch_unwind(AssertUnwindSafe(compute));
    GUARDED.set(before);
    match outcome {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Fault::of_error(&error)),
        Err(payload) => Err(Fault::of_panic(payload.as_ref())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_of_one_line() {
        let fault = guarded::<()>(|| panic!("no\n  such {}", "axis")).unwrap_err();
        assert_eq!(fault.to_string(), "no such axis");
        assert_eq!(guarded(|| Ok(1)), Ok(1));
    }

    #[test]
    fn causes_are_joined_and_long_ones_cut() {
        let error = TractError::msg("cause").context("what failed");
        assert_eq!(Fault::of_error(&error).to_string(), "what failed: cause");
        assert_eq!(Fault::new(&"é".repeat(1000)).to_string(), format!("{} …", "é".repeat(400)));
    }
}
