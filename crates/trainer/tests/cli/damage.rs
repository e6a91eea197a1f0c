//! Stores whose bytes are not what their receipts say.

use convbase_core::write_artifact;

use super::support::*;

#[test]
fn damaged_files_are_not_believed_unless_hashing_is_skipped() {
    let features = Store::default().in_folder();
    let whole = files(features.path());
    assert_eq!(whole.len(), 13);
    for (name, bytes) in &whole {
        let mut bytes = bytes.clone();
        // The last bits of the last number or name: no size, header or range is wrong.
        let position = bytes.len() - if name.ends_with(".npy") { 8 } else { 20 };
        bytes[position] ^= 1;
        write_artifact(&features.path().join(name), &bytes).unwrap();
        let out = tempfile::tempdir().unwrap();
        let said = fit(1, features.path(), out.path(), []);
        let error = said.stderr.lines().find(|line| line.starts_with("trainer: ")).unwrap();
        assert!(error.contains(&features.path().display().to_string()), "{name}: {error}");
        assert!(!out.path().join("best.safetensors").exists(), "{name}");
        if name.ends_with(".npy") || name.ends_with(".jsonl") {
            assert!(error.contains("sha256: expected "), "{name}: {error}");
            fit(0, features.path(), tempfile::tempdir().unwrap().path(), ["--no-verify"]);
        }
        write_artifact(&features.path().join(name), &whole[name]).unwrap();
    }
    let out = tempfile::tempdir().unwrap();
    fit(0, features.path(), out.path(), []);
    let alone = files(out.path());
    fit(0, features.path(), out.path(), ["--no-verify"]);
    assert!(files(out.path()) == alone, "whether hashes are compared decides nothing else");
}
