//! Decoders of other people: a photograph that makes one panic is a photograph that does not decode.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// Whether this thread's panics are caught and told as errors.
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs something that may panic, and gives the panic's message then. Nothing is written to stderr.
///
/// What the work has changed before it panicked must not be used again.
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    keep_guarded_panics_silent();
    let outer = IS_GUARDED.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    IS_GUARDED.set(outer);
    result.map_err(|panic| message(panic.as_ref()))
}

/// The hook is one for the whole program, and is called before a panic is caught: it has to know which panics will be.
fn keep_guarded_panics_silent() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            // A thread that is ending has no such variable any more, and guards nothing.
            if !IS_GUARDED.try_with(Cell::get).unwrap_or(false) {
                hook(panic);
            }
        }));
    });
}

/// Without the place in the source, whose path is another one on each machine.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    text.unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_its_message_and_the_next_work_is_guarded_again() {
        assert_eq!(guarded(|| 7), Ok(7));
        let numbers = [1, 2];
        let index = numbers.len();
        let error = guarded(|| numbers[index]).unwrap_err();
        assert_eq!(error, "index out of bounds: the len is 2 but the index is 2");
        assert_eq!(guarded(|| panic!("no")), Err::<(), _>("no".to_owned()));
        assert_eq!(guarded(|| panic::panic_any(3)), Err::<(), _>("no message".to_owned()));
        assert!(!IS_GUARDED.get());
    }

    #[test]
    fn what_is_guarded_inside_leaves_the_outside_guarded() {
        let result = guarded(|| {
            assert_eq!(guarded(|| panic!("inner")), Err::<(), _>("inner".to_owned()));
            assert!(IS_GUARDED.get());
        });
        assert_eq!(result, Ok(()));
    }
}
