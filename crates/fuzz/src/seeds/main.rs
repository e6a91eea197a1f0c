//! Writes what a target begins from, one file an input: `seeds TARGET FOLDER`.

mod files;
mod photographs;
mod stores;
#[cfg(feature = "nn")]
mod trained;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

/// An input's name and bytes.
type Seed = (String, Vec<u8>);

fn seeds(target: &str) -> Option<Vec<Seed>> {
    Some(match target {
        "decode" => photographs::photographs(),
        "store" => stores::stores(),
        "manifest" => stores::manifests(),
        "receipt" => stores::receipts(),
        "spec" => files::specs(),
        "csv" => files::csv(),
        "weights" => files::weights(),
        #[cfg(feature = "nn")]
        "checkpoint" => trained::checkpoints(),
        #[cfg(feature = "nn")]
        "state" => trained::states(),
        #[cfg(feature = "nn")]
        "onnx" => trained::networks(),
        _ => return None,
    })
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [target, folder] = &arguments[..] else {
        eprintln!("seeds: expected a target and a folder");
        return ExitCode::from(2);
    };
    let Some(seeds) = seeds(target) else {
        eprintln!("seeds: expected a target, found `{target}`");
        return ExitCode::from(2);
    };
    let folder = Path::new(folder);
    fs::create_dir_all(folder).expect("a folder for the seeds");
    for (name, bytes) in seeds {
        fs::write(folder.join(name), bytes).expect("room for a seed");
    }
    ExitCode::SUCCESS
}
