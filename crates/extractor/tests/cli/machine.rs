//! Machines that are short of something, odd or half broken.

mod clock;
mod disk;
mod limits;
mod processor;
mod streams;
mod surroundings;
mod users;

use std::collections::BTreeMap;
use std::path::Path;

use tempfile::TempDir;

use super::shell::{Ended, Script, works};
use super::support::*;

/// In a script: the extraction of `$images` to `$out`, to which more words can be added.
const EXTRACT: &str = r#"extract() {
    "$program" extract ${quiet--q} --base tiny --weights "$weights" --precision fp32 --images "$images" --out "$out" "$@"
}
"#;

/// Photographs and a place for their features.
struct Ground {
    images: TempDir,
    out: TempDir,
}

impl Ground {
    fn new(count: u32) -> Self {
        Self { images: photographs([("cats", count), ("dogs", count)]), out: tempfile::tempdir().unwrap() }
    }

    fn script(&self, out: &Path, text: &str) -> Script {
        Script::new(format!("{EXTRACT}{text}"))
            .with("program", env!("CARGO_BIN_EXE_extractor"))
            .with("weights", &*TINY)
            .with("images", self.images.path())
            .with("out", out)
    }

    fn shell(&self, text: &str) -> Ended {
        self.script(self.out.path(), text).run()
    }

    fn with_mounts(&self, text: &str) -> Option<Ended> {
        self.script(self.out.path(), text).run_with_mounts()
    }

    /// What a run without trouble makes with these words.
    fn alone(&self, words: &str) -> BTreeMap<String, Vec<u8>> {
        let out = tempfile::tempdir().unwrap();
        let ended = self.script(out.path(), &format!("extract {words}")).run();
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        files(out.path())
    }
}
