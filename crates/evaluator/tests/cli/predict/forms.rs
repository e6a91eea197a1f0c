//! How predictions are printed: for people, for programs, in part.

use serde_json::Value;

use super::tiny::{CLASSES, Tiny, lines};
use crate::shell::{Ended, works};

/// The words of a terminal that shows what a command says; `None`, with a line that says so, where there is none.
fn on_a_terminal(bench: &Tiny, command: &str) -> Option<Ended> {
    if !works(&["script", "-qec", "true", "/dev/null"]) {
        println!("skipped: there is no `script`: what a terminal shows was not tried");
        return None;
    }
    // `script` starts the shell that SHELL names; one that is not bash, as /bin/sh may be, hands no functions on. A
    // terminal without a name has no bars.
    let script = r#"export program head weights images out; export -f predict
        SHELL="$BASH" TERM=xterm script -qec 'bash -c "$command"' /dev/null </dev/null"#;
    Some(bench.script(script).with("command", command).run())
}

#[test]
fn a_terminal_gets_a_table_and_a_pipe_gets_csv() {
    let bench = Tiny::new();
    let table = bench.predict(0, &["-q", "--format", "table"], &[bench.images.path().to_owned()]).stdout;
    let mut rows = table.lines();
    let header: Vec<&str> = rows.next().unwrap().split_whitespace().collect();
    assert_eq!(header, ["path", "prediction", "probability", "others"]);
    for (row, line) in rows.zip(bench.all()) {
        let columns: Vec<&str> = row.split_whitespace().collect();
        let most = line.probabilities.iter().copied().fold(0.0, f64::max);
        assert_eq!(columns[..3], [line.path.to_str().unwrap(), &line.prediction, &format!("{most:.3}")]);
        assert_eq!(columns.len(), 7, "two more classes with their probabilities: {row}");
    }
    let Some(shown) = on_a_terminal(&bench, r#"predict -q "$images""#) else { return };
    assert_eq!(shown.stdout.replace("\r\n", "\n"), table);
    let Some(shown) = on_a_terminal(&bench, r#"predict -q "$images" | cat"#) else { return };
    assert!(shown.stdout.starts_with("path,prediction,prob_birds,prob_cats,prob_dogs,error"), "{shown:?}");
}

#[test]
fn a_bar_is_shown_for_a_long_list_while_nobody_sees_the_lines() {
    let bench = Tiny::new();
    let bar =
        |command: &str| on_a_terminal(&bench, command).map(|ended| ended.stdout.contains("photographs/s"));
    // Each photograph is given a hundred times.
    let many = r#"for i in {1..100}; do set -- "$@" "$images"; done;"#;
    let Some(shown) = bar(&format!(r#"{many} predict "$@" >/dev/null"#)) else { return };
    assert!(shown);
    assert_eq!(bar(&format!(r#"{many} predict -q "$@" >/dev/null"#)), Some(false), "nothing is to be said");
    assert_eq!(bar(&format!(r#"{many} predict "$@""#)), Some(false), "the table is the progress");
    assert_eq!(bar(r#"predict "$images" >/dev/null"#), Some(false), "the list is short");
}

#[test]
fn the_most_probable_classes_alone_come_most_probable_first() {
    let bench = Tiny::new();
    let images = [bench.images.path().to_owned()];
    let csv = bench.predict(0, &["-q", "--top-k", "2"], &images).stdout;
    let mut found = csv.lines();
    let header = "path,prediction,prediction_1,probability_1,prediction_2,probability_2,error";
    assert_eq!(found.next(), Some(header));
    let json = bench.predict(0, &["-q", "--top-k", "2", "--format", "json"], &images).stdout;
    for ((line, object), all) in found.zip(json.lines()).zip(bench.all()) {
        let mut ranked: Vec<(f64, &str)> = all.probabilities.iter().copied().zip(CLASSES).collect();
        ranked.sort_by(|left, right| right.0.total_cmp(&left.0));
        let [first, second, _] = ranked[..] else { panic!("three classes") };
        let path = all.path.to_str().unwrap();
        let expected = format!("{path},{},{},{:?},{},{:?},", first.1, first.1, first.0, second.1, second.0);
        assert_eq!(line, expected);
        let object: Value = serde_json::from_str(object).unwrap();
        assert_eq!((&object["top"][1]["class"], &object["prediction"]), (&second.1.into(), &first.1.into()));
        assert!(object["top"].as_array().unwrap().len() == 2 && object["probabilities"].is_null());
    }
    let more = bench.predict(0, &["-q", "--top-k", "9"], &images).stdout;
    assert!(
        more.starts_with("path,prediction,prediction_1") && more.contains(",probability_3,error\n"),
        "{more}"
    );
    bench.predict(2, &["--top-k", "0"], &images);
}

#[test]
fn what_is_below_the_threshold_has_no_prediction_and_is_counted() {
    let bench = Tiny::new();
    let images = [bench.images.path().to_owned()];
    let mut most: Vec<f64> =
        bench.all().iter().map(|line| line.probabilities.iter().copied().fold(0.0, f64::max)).collect();
    most.sort_by(f64::total_cmp);
    // Three of nine lie below; the fourth is as probable as is asked for.
    let threshold = format!("{:?}", most[3]);
    let said = bench.predict(0, &["--threshold", &threshold], &images);
    let found = lines(&said.stdout);
    for (line, certain) in found.iter().zip(bench.all()) {
        assert_eq!(line.probabilities, certain.probabilities);
        let is_certain = line.probabilities.iter().any(|probability| *probability >= most[3]);
        assert_eq!(line.prediction, if is_certain { certain.prediction } else { String::new() });
    }
    assert_eq!(found.iter().filter(|line| line.prediction.is_empty()).count(), 3);
    assert!(
        said.stderr.contains("9 photographs predicted, 3 of them uncertain, 0 unreadable"),
        "{}",
        said.stderr
    );

    let options = ["-q", "--threshold", &threshold, "--format"];
    let json = bench.predict(0, &[&options[..], &["json"]].concat(), &images).stdout;
    assert_eq!(json.matches(r#""prediction":null"#).count(), 3);
    let table = bench.predict(0, &[&options[..], &["table"]].concat(), &images).stdout;
    assert_eq!(table.matches("  uncertain  ").count(), 3, "{table}");
    for odd in ["1.5", "-0.1", "NaN", "half"] {
        let said = bench.predict(2, &[&format!("--threshold={odd}")], &images);
        assert!(said.stderr.contains("expected a number from 0 to 1"), "{}", said.stderr);
    }
}

#[test]
fn a_reader_who_goes_away_early_hears_nothing_whatever_the_form() {
    let bench = Tiny::new();
    for options in ["", "--format table", "--format json", "--top-k 2", "--threshold 0.9"] {
        let script = format!(
            r#"for i in {{1..23}}; do set -- "$@" "$images"; done
            predict -q {options} "$@" | head -n 1 >/dev/null; exit ${{PIPESTATUS[0]}}"#
        );
        let Ended { code, stderr, .. } = bench.script(&script).run();
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{options}");
    }
}
