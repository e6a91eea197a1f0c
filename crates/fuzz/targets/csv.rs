//! `history.csv` and `predictions.csv`: what is read is written as it was read.
#![no_main]

use convbase_core::History;
use convbase_core::report::Predictions;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(history) = History::from_csv(text) {
        let again = History::from_csv(&history.to_csv()).expect("what was written");
        assert_eq!(again, history);
        assert_eq!(text.lines().count(), history.len() + 1, "a line of each epoch");
    }
    if let Ok(predictions) = Predictions::from_csv(text) {
        let again = Predictions::from_csv(&predictions.to_csv()).expect("what was written");
        assert_eq!(again, predictions);
    }
});
