//! Photographs copied into one folder for each class.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use convbase_core::write_artifact;

use super::tiny::{Tiny, lines, tree};
use crate::shell::Ended;
use crate::support::*;

fn sort(bench: &Tiny, code: i32, more: &[&str], images: &[PathBuf]) -> Said {
    let out = bench.place("sorted");
    bench.predict(code, &[&["--sort-into", out.to_str().unwrap()], more].concat(), images)
}

/// What lies in a folder of sorted photographs when every photograph is in that of its prediction.
fn expected(bench: &Tiny, folder_of_none: Option<&str>, csv: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let lines = lines(csv).into_iter().filter(|line| line.error.is_empty());
    let place = |line: super::tiny::Line| {
        let folder = Some(line.prediction.as_str()).filter(|class| !class.is_empty()).or(folder_of_none);
        let name = line.path.strip_prefix(bench.images.path()).unwrap();
        (Path::new(folder.unwrap()).join(name), std::fs::read(bench.image("x").join(&line.path)).unwrap())
    };
    lines.map(place).collect()
}

#[test]
fn photographs_are_copied_into_the_folder_of_their_class_and_stay_where_they_are() {
    let bench = Tiny::new();
    // Of one name and one class, in two folders.
    std::fs::copy(bench.image("cats/1.png"), bench.image("dogs/1.png")).unwrap();
    let before = tree(bench.images.path());
    write_artifact(&bench.image("cats/broken.jpg"), b"a text").unwrap();
    let said = sort(&bench, 1, &[], &[bench.images.path().to_owned()]);
    let sorted = tree(&bench.place("sorted"));
    assert_eq!(sorted.len(), 10, "{:?}", sorted.keys());
    assert!(sorted == expected(&bench, None, &said.stdout));
    assert!(said.stderr.contains("10 photographs predicted, 1 unreadable"), "{}", said.stderr);
    assert!(said.stderr.contains("10 photographs copied into "), "{}", said.stderr);
    std::fs::remove_file(bench.image("cats/broken.jpg")).unwrap();
    assert!(tree(bench.images.path()) == before);
}

#[test]
fn uncertain_ones_have_a_folder_of_their_own() {
    let bench = Tiny::new();
    let mut most: Vec<f64> =
        bench.all().iter().map(|line| line.probabilities.iter().copied().fold(0.0, f64::max)).collect();
    most.sort_by(f64::total_cmp);
    let said =
        sort(&bench, 0, &["--threshold", &format!("{:?}", most[4])], &[bench.images.path().to_owned()]);
    let sorted = tree(&bench.place("sorted"));
    assert_eq!(sorted.keys().filter(|name| name.starts_with("uncertain")).count(), 4);
    assert!(sorted == expected(&bench, Some("uncertain"), &said.stdout));
}

#[test]
fn nothing_that_is_there_is_overwritten_and_the_others_are_copied() {
    let bench = Tiny::new();
    let images = [bench.images.path().to_owned()];
    let all = bench.all();
    // One name is taken by a file, one by a link that leads nowhere.
    let taken = |line: usize| {
        bench
            .place("sorted")
            .join(&all[line].prediction)
            .join(all[line].path.strip_prefix(bench.images.path()).unwrap())
    };
    write_artifact(&taken(2), b"mine").unwrap();
    std::fs::create_dir_all(taken(5).parent().unwrap()).unwrap();
    std::os::unix::fs::symlink("nowhere", taken(5)).unwrap();
    let said = sort(&bench, 1, &[], &images);
    for (position, line) in lines(&said.stdout).iter().enumerate() {
        let expected = if [2, 5].contains(&position) {
            format!("not copied: `{}`: expected no file of this name, found one", taken(position).display())
        } else {
            String::new()
        };
        assert_eq!(line.error.trim_matches('"'), expected);
        assert_eq!(
            (&line.prediction, &line.probabilities),
            (&all[position].prediction, &all[position].probabilities)
        );
    }
    assert!(
        said.stderr.contains("7 photographs copied into ")
            && said.stderr.contains("2 photographs were not copied")
    );
    assert_eq!(std::fs::read(taken(2)).unwrap(), b"mine");
    assert_eq!(std::fs::read_link(taken(5)).unwrap(), Path::new("nowhere"));
    std::fs::remove_file(taken(5)).unwrap();
    let sorted = tree(&bench.place("sorted"));
    assert_eq!(sorted.len(), 8);

    // A second time nothing has a place, and nothing changes.
    let said = sort(&bench, 1, &["-q"], &images);
    assert_eq!(
        lines(&said.stdout).iter().filter(|line| line.error.is_empty()).count(),
        1,
        "the link is gone"
    );
    std::fs::remove_file(taken(5)).unwrap();
    assert!(tree(&bench.place("sorted")) == sorted);
}

#[test]
fn of_two_photographs_of_one_name_the_second_is_told_and_neither_is_lost() {
    let bench = Tiny::new();
    let (first, second) = (bench.image("cats/1.png"), bench.image("other/1.png"));
    // The same class, and other bytes: a PNG may hold anything behind its end.
    let mut bytes = std::fs::read(&first).unwrap();
    bytes.extend(b"more");
    write_artifact(&second, &bytes).unwrap();
    let said = sort(&bench, 1, &["-q"], &[first.clone(), second.clone()]);
    let lines = lines(&said.stdout);
    assert_eq!(lines[0].error, "");
    assert!(lines[1].error.contains("not copied: "), "{}", lines[1].error);
    let sorted: Vec<Vec<u8>> = tree(&bench.place("sorted")).into_values().collect();
    assert_eq!(sorted, [std::fs::read(&first).unwrap()]);
    assert_eq!(std::fs::read(&second).unwrap(), bytes);
}

#[test]
fn folders_that_cannot_be_sorted_into_are_refused_before_anything_is_printed() {
    let bench = Tiny::new();
    let refuse = |bench: &Tiny, into: &Path, more: &[&str], expected: &str| {
        let options = [&["-q", "--sort-into", into.to_str().unwrap()], more].concat();
        let said = bench.predict(1, &options, &[bench.images.path().to_owned()]);
        assert!(error_of(&said).contains(expected), "{}", said.stderr);
        said.stderr
    };
    let images = bench.images.path();
    let stderr = refuse(&bench, &bench.image("sorted/new"), &[], "expected a folder outside of `");
    assert!(stderr.contains("\nhint: ") && !bench.image("sorted").exists(), "{stderr}");
    refuse(&bench, &images.join("cats/../sorted"), &[], "expected a folder outside of `");
    refuse(&bench, images, &[], "expected a folder outside of `");
    write_artifact(&bench.place("file"), b"x").unwrap();
    refuse(&bench, &bench.place("file"), &[], "expected a folder, found a file");
    refuse(&bench, &bench.place("file/below"), &[], "cannot write `");

    let odd = Tiny::of(&["birds", "../cats", "dogs"]);
    let stderr = refuse(&odd, &odd.place("sorted"), &[], "class `../cats`: expected a name that a folder");
    assert!(stderr.contains("\nhint: leave out `--sort-into`") && !odd.place("sorted").exists(), "{stderr}");
    let odd = Tiny::of(&["birds", "uncertain", "dogs"]);
    refuse(&odd, &odd.place("sorted"), &["--threshold", "0.5"], "class `uncertain`: expected a name");
    sort(&odd, 0, &[], &[odd.images.path().to_owned()]);
}

#[test]
fn a_reader_who_goes_away_leaves_no_photograph_behind() {
    let bench = Tiny::new();
    let script = r#"predict -q --sort-into "$out" "$images" | head -n 1 >/dev/null; exit ${PIPESTATUS[0]}"#;
    let Ended { code, stderr, .. } = bench.script(script).run();
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!(tree(&bench.place("out")).len(), 9);
}

#[test]
fn lists_on_stdin_are_sorted_too_and_a_folder_that_holds_the_copies_costs_itself_alone() {
    let bench = Tiny::new();
    let script = r#"cd "$images"; find . -name '*.png' | sort | predict -q --sort-into "$images/sorted" -"#;
    let Ended { code, stdout, stderr } = bench.script(script).run();
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    assert_eq!(tree(&bench.image("sorted")).len(), 9);
    let script = r#"cd "$images"; printf 'cats/1.png\n.\n' | predict -q --sort-into "$images/again" -"#;
    let Ended { code, stdout, .. } = bench.script(script).run();
    assert_eq!(code, Some(1));
    let lines = lines(&stdout);
    assert_eq!(lines.len(), 2, "{stdout}");
    assert!(lines[1].error.contains("expected a folder outside of `.`, found one inside"), "{stdout}");
    assert_eq!(tree(&bench.image("again")).len(), 1);
}

#[test]
fn a_disk_that_is_full_is_named_and_holds_no_half_photograph() {
    let bench = Tiny::new();
    let script = r#"mount -t tmpfs -o size=64k none "$mount" || exit 99
        head -c 1m /dev/zero >"$mount/filler" 2>/dev/null
        predict -q --sort-into "$mount/sorted" "$images"; code=$?
        find "$mount" -type f ! -name filler -size -1 -o -name '.*.tmp'
        exit $code"#;
    let Some(ended) = bench.script(script).run_with_mounts() else { return };
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let named =
        ended.stderr.starts_with("evaluator: cannot write `") && ended.stderr.contains("No space left");
    assert!(named && ended.stderr.contains("\nhint: free some space"), "{}", ended.stderr);
    assert!(!ended.stdout.contains("/sorted/"), "{}", ended.stdout);
}
