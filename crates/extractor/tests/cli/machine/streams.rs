//! Where stdout and stderr lead.

use super::*;

/// A finished store in `$out`.
fn with_store() -> Ground {
    let ground = Ground::new(2);
    assert_eq!(ground.shell("extract --image-size 32").code, Some(0));
    ground
}

#[test]
fn a_reader_that_goes_away_is_no_failure_and_hears_nothing() {
    let ground = with_store();
    for command in [
        "inspect \"$out\"",
        "inspect --json \"$out\"",
        "verify \"$out\"",
        "--help",
        "extract --help",
        "--version",
    ] {
        for reader in [" | true", " | head -n 1 >/dev/null", " >&-"] {
            let ended = ground.shell(&format!("\"$program\" {command}{reader}; exit ${{PIPESTATUS[0]}}"));
            assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{command}{reader}");
        }
    }
}

#[test]
fn findings_are_told_by_the_exit_code_also_where_the_reader_went_away() {
    let ground = with_store();
    std::fs::remove_file(ground.out.path().join("labels-00000-of-00001.npy")).unwrap();
    for reader in [" | true", " | head -n 1 >/dev/null", " >&-"] {
        let ended = ground.shell(&format!("\"$program\" verify \"$out\"{reader}; exit ${{PIPESTATUS[0]}}"));
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""), "{reader}");
    }
}

#[test]
fn a_stdout_that_is_full_is_a_failure() {
    let ground = with_store();
    for command in ["inspect \"$out\"", "inspect --json \"$out\"", "verify \"$out\"", "--help", "--version"] {
        let ended = ground.shell(&format!("\"$program\" {command} >/dev/full"));
        assert_eq!(ended.code, Some(1), "{command}");
        assert!(
            ended.stderr.starts_with("extractor: cannot write to stdout: No space left"),
            "{command}: {}",
            ended.stderr
        );
    }
}

#[test]
fn a_stderr_that_nobody_reads_or_that_is_full_stops_no_work() {
    let ground = Ground::new(2);
    let whole = ground.alone("--image-size 32");
    for end in ["2>/dev/full", "2>&-", "2> >(true)"] {
        let ended = ground.shell(&format!("quiet=-vv; extract --overwrite --image-size 32 {end}"));
        assert_eq!(ended.code, Some(0), "{end}");
        assert!(files(ground.out.path()) == whole, "{end}");
        let ended = ground.shell(&format!("extract --image-size 0 {end}"));
        assert_eq!(ended.code, Some(2), "{end}");
    }
}
