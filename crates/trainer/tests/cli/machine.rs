//! Machines that are short of something, odd or half broken.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use convbase_core::Pooling;
use tempfile::TempDir;

use super::shell::{Ended, Script, works};
use super::support::*;

/// In a script: the training on `$features` into `$out`, to which more words can be added.
const FIT: &str = r#"fit() {
    "$program" fit ${quiet--q} --device cpu --batch-size 8 --learning-rate 0.01 --features "$features" --out "$out" "$@"
}
"#;
const SHORT: &str = "--epochs 2 --hidden 1";

/// Features and a place for what is trained on them.
struct Ground {
    features: TempDir,
    out: TempDir,
}

impl Ground {
    fn new() -> Self {
        Self::on(&Store::default())
    }

    fn on(store: &Store) -> Self {
        Self { features: store.in_folder(), out: tempfile::tempdir().unwrap() }
    }

    fn script(&self, out: &Path, text: &str) -> Script {
        Script::new(format!("{FIT}{text}"))
            .with("program", env!("CARGO_BIN_EXE_trainer"))
            .with("features", self.features.path())
            .with("out", out)
    }

    fn shell(&self, text: &str) -> Ended {
        self.script(self.out.path(), text).run()
    }

    fn with_mounts(&self, text: &str) -> Option<Ended> {
        self.script(self.out.path(), text).run_with_mounts()
    }

    /// What a training without trouble leaves with these words.
    fn alone(&self, words: &str) -> BTreeMap<String, Vec<u8>> {
        let out = tempfile::tempdir().unwrap();
        let ended = self.script(out.path(), &format!("fit {words}")).run();
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        files(out.path())
    }
}

#[test]
fn sixteen_descriptors_and_one_processor_are_enough() {
    let ground = Ground::on(&Store { shard_size: 1, ..Store::default() });
    let processor = if works(&["taskset", "-c", "0", "true"]) { "taskset -pc 0 $$ >/dev/null;" } else { "" };
    let ended = ground.shell(&format!("{processor} ulimit -n 16; fit {SHORT}"));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(files(ground.out.path()) == ground.alone(SHORT));
}

#[test]
fn out_of_descriptors_is_told_with_what_to_do() {
    let ground = Ground::new();
    let ended = ground.shell(&format!("exec 3</dev/null; ulimit -n 4; fit {SHORT}"));
    // Not even a library can be opened then: the loader says so, or the program.
    assert_ne!(ended.code, Some(0));
    assert!(
        ended.stderr.contains("Too many open files") || ended.stderr.contains("Error 24"),
        "{}",
        ended.stderr
    );
    assert!(files(ground.out.path()).is_empty());
}

#[test]
fn a_head_that_does_not_fit_into_memory_is_refused_with_its_need_and_a_smaller_one_works() {
    let rows =
        ["cats", "dogs"].iter().flat_map(|&class| (0..4).map(move |row| (class, vec![row as f32; 16_384])));
    let ground = Ground::on(&Store { rows: rows.collect(), pooling: Pooling::None, ..Store::default() });
    let ended = ground.shell("ulimit -v 3000000; fit --hidden 65536 --epochs 1");
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let [error, hint] = ended.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{}", ended.stderr) };
    assert!(error.starts_with("trainer: memory: expected a need of at most "), "{error}");
    assert!(error.contains(" that are free, found 8.6 GB (859"), "{error}");
    assert!(hint.contains("`--hidden`") && hint.contains("`--batch-size`"), "{hint}");
    assert!(files(ground.out.path()).is_empty());
    assert_eq!(ground.shell("ulimit -v 3000000; fit --hidden 1 --epochs 1").code, Some(0));
}

#[test]
fn a_disk_that_is_full_at_any_write_is_named_with_the_file_and_a_second_run_goes_on() {
    let ground = Ground::new();
    let whole = ground.alone(SHORT);
    // One page more is free each time, until all fits.
    let script = format!(
        r#"mount -t tmpfs -o size=1m none "$mount" && kept=$out && out=$mount/run || exit 99
        for pages in {{0..60}}; do
            rm -rf "$out" "$mount/filler"
            head -c $((1048576 - 4096 * pages)) /dev/zero >"$mount/filler" 2>/dev/null
            fit {SHORT} 2>&1
            code=$?
            find "$mount" -name '.*.tmp' -printf 'left: %f\n'
            [ $code = 0 ] && break
            [ $code = 1 ] || exit 98
            [ $pages != 6 ] || {{ rm "$mount/filler"; fit {SHORT} --resume && cp -r "$out" "$kept/resumed"; }}
        done
        cp -r "$out" "$kept/last""#
    );
    let Some(ended) = ground.with_mounts(&script) else { return };
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let mut named = BTreeSet::new();
    for line in ended.stdout.lines() {
        let Some(error) = line.strip_prefix("trainer: cannot write `") else {
            assert!(line.starts_with("hint: free some space"), "{line}");
            continue;
        };
        let (path, cause) = error.split_once("`: ").unwrap();
        assert!(cause.starts_with("No space left on device"), "{line}");
        named.insert(path.rsplit_once('/').unwrap().1.to_owned());
    }
    assert_eq!(named, whole.keys().cloned().collect(), "{}", ended.stdout);
    for run in ["resumed", "last"] {
        assert!(files(&ground.out.path().join(run)) == whole, "{run}");
    }
}

#[test]
fn a_disk_that_cannot_be_written_is_told_before_anything_is_trained() {
    let ground = Ground::new();
    let script = format!(
        r#"mount -t tmpfs none "$mount" && out=$mount/run && fit {SHORT} || exit 99
        mount -o remount,ro "$mount" || exit 99
        fit {SHORT}; fit {SHORT} --resume; out=$mount/other; fit {SHORT}
        "$program" probe -q --features "$features" --out "$out"; echo $?"#
    );
    let Some(ended) = ground.with_mounts(&script) else { return };
    assert_eq!(ended.stdout, "1\n", "{}", ended.stderr);
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(lines.len(), 4, "{}", ended.stderr);
    for line in lines {
        assert!(
            line.starts_with("trainer: cannot ") && line.to_lowercase().contains("read-only file"),
            "{line}"
        );
    }
}

#[test]
fn a_run_whose_disk_goes_away_goes_on_nowhere_else_and_is_resumed_when_it_is_back() {
    let ground = Ground::new();
    let words = "--epochs 300 --hidden 8";
    let whole = ground.alone(words);
    let script = format!(
        r#"real=$out; out=$mount/run
        mount --bind "$real" "$mount" || exit 99
        fit {words} & training=$!
        until [ -e "$out/last.safetensors" ]; do :; done
        umount --lazy "$mount"
        wait $training; code=$?
        echo $code $(find "$mount" -type f | wc -l)
        mount --bind "$real" "$mount" || exit 99
        fit {words} --resume"#
    );
    let Some(ended) = ground.with_mounts(&script) else { return };
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "1 0\n"), "{}", ended.stderr);
    assert!(ended.stderr.starts_with("trainer: ") && ended.stderr.lines().count() == 1, "{}", ended.stderr);
    assert!(files(&ground.out.path().join("run")) == whole);
}

#[test]
fn no_home_no_variables_a_locale_of_ascii_and_a_folder_that_cannot_be_written_are_no_trouble() {
    let ground = Ground::new();
    let script = format!(
        r#"mount -t tmpfs none "$mount" && mount -o remount,ro "$mount" && cd "$mount" || exit 99
        env -i LC_ALL=C HOME=/nowhere TMPDIR=/nowhere "$program" fit -q --device cpu --batch-size 8 --learning-rate 0.01 \
            --features "$features" --out "$out/läufe" {SHORT}"#
    );
    let Some(ended) = ground.with_mounts(&script) else { return };
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(files(&ground.out.path().join("läufe")) == ground.alone(SHORT));
}

#[test]
fn times_of_files_decide_nothing() {
    let ground = Ground::new();
    let whole = ground.alone("--epochs 4 --hidden 8");
    let script = r#"
        find "$features" -exec touch -d 2100-01-01 {} +
        fit --epochs 4 --hidden 8 && find "$out" -exec touch -d 1970-01-02 {} + && fit --epochs 4 --hidden 8 --resume"#;
    let ended = ground.shell(script);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(files(ground.out.path()) == whole);
}

#[test]
fn streams_that_are_closed_or_full_stop_no_work() {
    let ground = Ground::new();
    let whole = ground.alone(SHORT);
    for end in ["2>/dev/full", "2>&-", "2> >(true)", ">&-"] {
        let ended = ground.shell(&format!("rm -rf \"$out\"/*; quiet=-vv; fit {SHORT} {end}"));
        assert_eq!(ended.code, Some(0), "{end}");
        assert!(files(ground.out.path()) == whole, "{end}");
    }
    for (end, code) in [(" | true", 0), (" >&-", 0), (" >/dev/full", 1)] {
        let ended = ground.shell(&format!("\"$program\" fit --help{end}; exit ${{PIPESTATUS[0]}}"));
        assert_eq!(ended.code, Some(code), "{end}");
        assert_eq!(
            ended.stderr.contains("trainer: cannot write to stdout: No space left"),
            code == 1,
            "{end}"
        );
    }
}

#[test]
fn two_processes_that_train_the_same_run_at_once_leave_the_bytes_of_one() {
    let ground = Ground::new();
    let words = "--epochs 40 --hidden 8";
    let ended = ground.shell(&format!("fit {words} & other=$!; fit {words} && wait $other"));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(files(ground.out.path()) == ground.alone(words));
}
