//! Machines that are short of something, odd or half broken.

use clap::Parser;
use convbase_core::store::Manifest;
use std::collections::BTreeSet;

use super::features::{Store, spec};
use super::predict::Bench;
use super::shell::{Ended, Script, works};
use super::support::*;
use super::views::TINY;

const PROGRAM: &str = env!("CARGO_BIN_EXE_evaluator");
const NAMES: [&str; 2] = ["cats", "dogs"];

/// Features, a head and a place for the report.
struct Report {
    features: tempfile::TempDir,
    folder: tempfile::TempDir,
    head: std::path::PathBuf,
}

impl Report {
    fn new() -> Self {
        let (features, folder) =
            (Store::of(&[("cats", 20), ("dogs", 20)]).in_folder(), tempfile::tempdir().unwrap());
        let head = checkpoint(folder.path(), &spec(), &NAMES, 8);
        Self { features, folder, head }
    }

    /// In the script, `evaluate` evaluates into `$out`.
    fn script(&self, text: &str) -> Script {
        let function = r#"evaluate() {
            "$program" evaluate -q --device cpu --features "$features" --checkpoint "$head" --out "$out"
        }
        "#;
        Script::new(format!("{function}{text}"))
            .with("program", PROGRAM)
            .with("features", self.features.path())
            .with("head", &self.head)
            .with("out", self.folder.path().join("report"))
    }

    /// What an evaluation without trouble writes.
    fn alone(&self) -> std::collections::BTreeMap<String, Vec<u8>> {
        let out = tempfile::tempdir().unwrap();
        evaluate(0, self.features.path(), &self.head, out.path());
        files(out.path())
    }
}

/// In the script, `predict` predicts all photographs.
fn predict(bench: &Bench, text: &str) -> Script {
    let function = r#"predict() {
        "$program" predict -q --device cpu --checkpoint "$head" --weights "$weights" "$images" "$@"
    }
    "#;
    Script::new(format!("{function}{text}"))
        .with("program", PROGRAM)
        .with("head", &bench.head)
        .with("weights", Bench::weights())
        .with("images", bench.images.path())
}

#[test]
fn a_disk_that_is_full_at_any_write_is_named_with_the_file_and_no_report_is_half() {
    let report = Report::new();
    let whole = report.alone();
    // Two pages more are free each time, until all fits.
    let script = r#"mount -t tmpfs -o size=1m none "$mount" && kept=$out && out=$mount/report || exit 99
        for pages in {0..160..2}; do
            rm -rf "$out" "$mount/filler"
            head -c $((1048576 - 4096 * pages)) /dev/zero >"$mount/filler" 2>/dev/null
            evaluate 2>&1
            code=$?
            find "$mount" -name '.*.tmp' -printf 'left: %f\n'
            [ $code = 0 ] && break
            [ $code = 1 ] && [ ! -e "$out/metrics.json" ] || exit 98
        done
        cp -r "$out" "$kept""#;
    let Some(ended) = report.script(script).run_with_mounts() else { return };
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let mut named = BTreeSet::new();
    for line in ended.stdout.lines() {
        let Some(error) = line.strip_prefix("evaluator: cannot write `") else {
            assert!(line.starts_with("hint: free some space"), "{line}");
            continue;
        };
        let (path, cause) = error.split_once("`: ").unwrap();
        assert!(cause.starts_with("No space left on device"), "{line}");
        named.insert(path.rsplit_once('/').unwrap().1.to_owned());
    }
    for name in ["predictions.csv", "confusion_matrix.svg", "confusion_matrix.png", "report.html"] {
        assert!(named.contains(name), "{name} is not in {named:?}");
    }
    assert!(files(&report.folder.path().join("report")) == whole);
}

#[test]
fn a_disk_that_cannot_be_written_is_told_before_anything_is_read() {
    let report = Report::new();
    let script = r#"mount -t tmpfs none "$mount" && out=$mount/report && evaluate || exit 99
        mount -o remount,ro "$mount" || exit 99
        head=no/such; evaluate; out=$mount/other; evaluate"#;
    let Some(ended) = report.script(script).run_with_mounts() else { return };
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{}", ended.stderr);
    for line in lines {
        let is_told = line.contains("/metrics.json`: ") && line.to_lowercase().contains("read-only file");
        assert!(line.starts_with("evaluator: cannot write `") && is_told, "{line}");
    }
}

#[test]
fn little_of_everything_is_enough_for_a_report_and_times_of_files_decide_nothing() {
    let report = Report::new();
    let processor = if works(&["taskset", "-c", "0", "true"]) { "taskset -pc 0 $$ >/dev/null;" } else { "" };
    let script = format!(
        r#"{processor} ulimit -n 16
        find "$features" "$head" -exec touch -d 2100-01-01 {{}} +
        env -i LC_ALL=C HOME=/nowhere TMPDIR=/nowhere "$program" evaluate --device cpu --features "$features" \
            --checkpoint "$head" --out "$out" 2>/dev/full"#
    );
    assert_eq!(report.script(&script).run().code, Some(0));
    assert!(files(&report.folder.path().join("report")) == report.alone());
}

#[test]
fn a_reader_of_predictions_that_goes_away_is_no_failure_and_hears_nothing() {
    let bench = Bench::new();
    for reader in [" | true", " | head -n 1 >/dev/null", " | head -n 3 >/dev/null", " >&-"] {
        let Ended { code, stderr, .. } =
            predict(&bench, &format!("predict{reader}; exit ${{PIPESTATUS[0]}}")).run();
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{reader}");
    }
    for command in ["predict", "\"$program\" --help", "\"$program\" predict --help"] {
        let Ended { code, stderr, .. } = predict(&bench, &format!("{command} >/dev/full")).run();
        assert_eq!(code, Some(1), "{command}");
        assert!(
            stderr.starts_with("evaluator: cannot write to stdout: No space left"),
            "{command}: {stderr}"
        );
    }
}

#[test]
fn predictions_are_the_same_with_little_of_everything() {
    let bench = Bench::new();
    let umlaut = bench.image("cats/ö.png");
    std::fs::rename(bench.image("cats/1.png"), &umlaut).unwrap();
    let expected = predict(&bench, "predict").run();
    assert!(expected.stdout.contains(umlaut.to_str().unwrap()), "{}", expected.stdout);
    let processor = if works(&["taskset", "-c", "0", "true"]) { "taskset -pc 0 $$ >/dev/null;" } else { "" };
    let script = format!(
        r#"{processor} ulimit -n 16
        env -i LC_ALL=C HOME=/nowhere "$program" predict --device cpu --checkpoint "$head" --weights "$weights" "$images" \
            2>/dev/full"#
    );
    let ended = predict(&bench, &script).run();
    assert_eq!((ended.code, ended.stdout), (expected.code, expected.stdout));
}

#[test]
fn every_photograph_has_its_line_also_when_their_disk_goes_away() {
    let bench = Bench::new();
    let script = r#"real=$images; images=$mount
        mount --bind "$real" "$mount" || exit 99
        mkfifo "$fifo"; exec 3<>"$fifo"
        predict --batch-size 1 --threads 1 >&3 & prediction=$!
        read -u 3 header; umount --lazy "$mount"
        wait $prediction; code=$?
        echo end >&3
        while read -u 3 line && [ "$line" != end ]; do echo "$line"; done
        exit $code"#;
    let fifo = bench.folder.path().join("fifo");
    let script = format!("fifo='{}'\n{script}", fifo.display());
    let Some(ended) = predict(&bench, &script).run_with_mounts() else { return };
    assert_eq!(ended.stdout.lines().count(), 9, "{}{}", ended.stdout, ended.stderr);
    let errors =
        ended.stdout.lines().filter(|line| line.contains("cannot read the file: No such file")).count();
    assert_eq!(ended.code, Some(i32::from(errors > 0)), "{}", ended.stdout);
}

#[test]
fn photographs_at_once_that_do_not_fit_into_memory_are_refused_with_their_need_and_fewer_work() {
    let (images, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_photographs(images.path(), &NAMES, 24);
    let (one, store) = (folder.path().join("one"), folder.path().join("store"));
    write_photographs(&one, &NAMES[..1], 1);
    let mut arguments =
        words(["extractor", "extract", "--base", "tiny", "--image-size", "512", "--pooling", "avg"]);
    arguments.extend(words(["--precision", "fp32", "--device", "cpu", "--images"]));
    arguments.extend([
        one.into(),
        "--out".into(),
        store.clone().into(),
        "--weights".into(),
        TINY.clone().into(),
    ]);
    extractor::run(extractor::Arguments::parse_from(arguments)).unwrap();
    let head = checkpoint(folder.path(), Manifest::open(&store).unwrap().spec(), &NAMES, 8);
    let run = |batch_size: &str| {
        let script = r#"ulimit -v 1000000; for i in {1..25}; do set -- "$@" "$images"; done
            "$program" predict -q --device cpu --checkpoint "$head" --weights "$weights" --threads 1 "$@" --batch-size "#;
        Script::new(format!("{script}{batch_size}"))
            .with("program", PROGRAM)
            .with("head", &head)
            .with("weights", &*TINY)
            .with("images", images.path())
            .run()
    };
    let ended = run("4096");
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let error = error_of(&Said { stdout: ended.stdout, stderr: ended.stderr.clone() }).to_owned();
    assert!(error.starts_with("memory: expected a need of at most "), "{error}");
    let bytes = error.rsplit_once('(').and_then(|(_, need)| need.strip_suffix(" bytes)")).unwrap();
    // The pixels and features of 24 photographs, 25 times, are most of it.
    let images = 25 * 24 * (512 * 512 * 3 + 64 * 64 * 32 * 4);
    let need: u64 = bytes.parse().unwrap();
    assert!((images..images + images / 2).contains(&need), "{error}");
    assert!(ended.stderr.contains("\nhint: ") && ended.stderr.contains("`--batch-size`"), "{}", ended.stderr);
    let ended = run("1");
    assert_eq!((ended.code, ended.stdout.lines().count()), (Some(0), 25 * 24 + 1), "{}", ended.stderr);
}
