//! Paths from stdin.

use super::tiny::{Tiny, lines};
use crate::shell::Ended;
use crate::support::*;

const NAMES: [&str; 4] = ["dogs/8.png", "birds/0.png", "cats/1.png", "birds/0.png"];

#[test]
fn paths_from_stdin_are_predicted_as_those_of_the_command_line() {
    let bench = Tiny::new();
    let given = NAMES.map(|name| bench.image(name));
    let expected = bench.predict(0, &["-q"], &given).stdout;
    let names = NAMES.join(" ");
    for list in [
        format!(r#"printf "$images/%s\n" {names} | predict -q -"#),
        format!(r#"printf "\n$images/%s\r\n" {names} | predict -q -"#),
        format!(r#"printf "$images/%s\0" {names} | predict -q -0 -"#),
        format!(r#"printf "$images/%s\0" {names} | predict -q --null -"#),
        // Without an end of the last line, and between others.
        r#"printf "$images/birds/0.png\n$images/cats/1.png" | predict -q "$images/dogs/8.png" - "$images/birds/0.png""#
            .to_owned(),
    ] {
        let Ended { code, stdout, stderr } = bench.script(&list).run();
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{list}");
        assert_eq!(stdout, expected, "{list}");
    }
    let said = bench.script(r#"ls -d "$images"/* | predict -"#).run();
    let all = bench.predict(0, &["-q"], &[bench.images.path().to_owned()]).stdout;
    assert_eq!(said.stdout, all, "folders are searched");
    assert!(said.stderr.contains("9 photographs predicted, 0 unreadable"), "{}", said.stderr);
}

#[test]
fn a_list_longer_than_what_is_listed_at_once_keeps_its_order() {
    let bench = Tiny::new();
    // Of one pass and batches of one, 64 are listed at once.
    let script = r#"names=$(cd "$images"; for i in {1..23}; do ls */*.png; done)
        (cd "$images"; echo "$names" | predict -q --batch-size 1 --threads 1 - | cut -d , -f 1,2 | tail -n +2)
        echo "$names" >"$out""#;
    let Ended { code, stdout, stderr } = bench.script(script).run();
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let names = std::fs::read_to_string(bench.place("out")).unwrap();
    let all = bench.all();
    let prediction = |name: &str| {
        let line = all.iter().find(|line| line.path.ends_with(name)).unwrap();
        format!("{name},{}\n", line.prediction)
    };
    assert_eq!(names.lines().count(), 207);
    assert_eq!(stdout, names.lines().map(prediction).collect::<String>());
}

#[test]
fn every_path_has_its_line_in_its_place_also_those_that_are_no_photographs() {
    let bench = Tiny::new();
    let script = r#"cd "$images"; printf 'cats/1.png\n\xff.jpg\nno/such.png\nbirds\ndogs/8.png\n\xfe.jpg\n' | predict -"#;
    let Ended { code, stdout, stderr } = bench.script(script).run();
    assert_eq!(code, Some(1));
    let lines = lines(&stdout);
    let paths: Vec<&str> = lines.iter().map(|line| line.path.to_str().unwrap()).collect();
    let expected = [
        "cats/1.png",
        r"\xff.jpg",
        "no/such.png",
        "birds/0.png",
        "birds/3.png",
        "birds/6.png",
        "dogs/8.png",
        r"\xfe.jpg",
    ];
    assert_eq!(paths, expected);
    for (position, line) in lines.iter().enumerate() {
        assert_eq!(line.error.is_empty(), ![1, 2, 7].contains(&position), "{}", line.error);
    }
    assert_eq!(lines[1].error, "expected a name in UTF-8: rename the file");
    assert!(stderr.contains("5 photographs predicted, 3 unreadable"), "{stderr}");
}

#[test]
fn names_that_hold_line_feeds_are_read_where_each_ends_with_a_zero_byte() {
    let bench = Tiny::new();
    std::fs::rename(bench.image("cats/1.png"), bench.image("cats/two\nlines.png")).unwrap();
    let script = r#"find "$images" -name '*.png' -print0 | sort -z | predict --format json -q -0 -"#;
    let Ended { code, stdout, stderr } = bench.script(script).run();
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!(stdout.lines().count(), 9);
    assert!(stdout.contains(r"cats/two\nlines.png"), "{stdout}");
}

#[test]
fn a_list_of_nothing_and_what_is_no_list_are_told() {
    let bench = Tiny::new();
    for list in ["true", r"printf '\n\n'"] {
        let Ended { code, stdout, stderr } = bench.script(&format!("{list} | predict -q -")).run();
        assert_eq!((code, stdout.as_str()), (Some(1), ""));
        let error = error_of(&Said { stdout, stderr: stderr.clone() }).to_owned();
        assert_eq!(error, "stdin: expected paths of photographs, found none");
        assert!(stderr.contains("\nhint: "), "{stderr}");
    }
    let Ended { code, stderr, .. } = bench.script("head -c 1000000 /dev/zero | predict -q -").run();
    assert_eq!(code, Some(1));
    assert!(stderr.contains("expected paths of at most 65536 bytes, found a longer one"), "{stderr}");
    assert!(stderr.contains("\nhint: ") && stderr.contains("--null"), "{stderr}");
}

#[test]
fn words_about_stdin_that_contradict_each_other_are_no_command_line() {
    let bench = Tiny::new();
    let said = bench.predict(2, &["--null"], &[bench.image("cats/1.png")]);
    assert!(said.stderr.contains("`--null`: expected `-` among the paths, found none"), "{}", said.stderr);
    let said = bench.predict(2, &["-", "-"], &[]);
    assert!(
        said.stderr.contains("`-`: expected once, found 2 times; a file of this name is `./-`"),
        "{}",
        said.stderr
    );
}
