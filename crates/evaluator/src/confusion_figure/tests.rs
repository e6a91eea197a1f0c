use super::*;

fn classes(count: usize) -> Vec<String> {
    (0..count).map(|class| format!("class {class}")).collect()
}

fn mostly_right(count: usize) -> Vec<Vec<u64>> {
    let errors = |row: usize, column: usize| if (row * 7 + column * 3).is_multiple_of(5) { 3 } else { 0 };
    (0..count)
        .map(|row| (0..count).map(|column| if row == column { 90 } else { errors(row, column) }).collect())
        .collect()
}

#[test]
fn the_same_matrix_gives_the_same_bytes() {
    let matrix = mostly_right(3);
    assert_eq!(draw_confusion(&classes(3), &matrix).unwrap(), draw_confusion(&classes(3), &matrix).unwrap());
}

#[test]
fn the_figure_names_axes_counts_shares_and_accuracy() {
    let names = ["cats".to_owned(), "dogs".to_owned()];
    let svg = draw_confusion(&names, &[vec![880, 120], vec![84, 916]]).unwrap().svg;
    let texts = ["Predicted class", "True class", "cats", "dogs", "880", "12.0 %", "91.6 %"];
    for text in texts.into_iter().chain(["Accuracy 89.8 % (1796 of 2000)"]) {
        assert!(svg.lines().any(|line| line == text), "{text} is missing");
    }
}

#[test]
fn thirty_classes_keep_their_counts_and_a_thousand_their_shades() {
    let svg = draw_confusion(&classes(30), &mostly_right(30)).unwrap().svg;
    assert!(svg.lines().any(|line| line == "90") && svg.lines().any(|line| line == "class 29"));
    assert!(!svg.lines().any(|line| line == "0"), "zeros are left out");

    let diagonal: Vec<_> =
        (0..1000).map(|row| (0..1000).map(|column| u64::from(row == column)).collect()).collect();
    let layout = Layout::new(&classes(1000)).unwrap();
    assert!(layout.stride > 1 && Writing::fitting(&diagonal, layout.cell).unwrap().count.is_none());
}

#[test]
fn class_names_cannot_break_the_markup() {
    let names = ["<b>&\"".to_owned(), "a\nb\u{0}".to_owned()];
    let svg = draw_confusion(&names, &[vec![1, 0], vec![0, 1]]).unwrap().svg;
    assert!(svg.contains("&lt;b&gt;&amp;&quot;"));
    assert!(!svg.contains("<b>") && !svg.contains('\u{0}'));
    // Every tag begins a line and ends it, and every ampersand begins one of the five entities.
    assert!(svg.lines().all(|line| line.starts_with('<') == line.ends_with('>')));
    let entity =
        |rest: &str| ["lt;", "gt;", "amp;", "quot;", "apos;"].iter().any(|name| rest.starts_with(name));
    assert!(svg.split('&').skip(1).all(entity));
}

#[test]
fn long_names_are_shortened_and_turned() {
    let names: Vec<_> = (0..12).map(|class| format!("{class} {}", "long name ".repeat(9))).collect();
    let layout = Layout::new(&names).unwrap();
    assert!(layout.upwards && layout.rows <= NAME_ROOM && layout.names[3].ends_with('…'));
}

#[test]
fn a_class_without_samples_has_no_share_and_huge_counts_do_not_overflow() {
    let svg = draw_confusion(&classes(2), &[vec![0, 0], vec![u64::MAX, u64::MAX]]).unwrap().svg;
    assert!(svg.contains("50.0 %") && !svg.contains("NaN"));
    assert!(draw_confusion(&classes(1), &[vec![0]]).unwrap().svg.contains("no samples"));
}

#[test]
fn a_matrix_of_another_shape_is_an_error() {
    let error = draw_confusion(&classes(2), &[vec![1, 2], vec![3]]).unwrap_err();
    let expected = "cannot draw a confusion matrix: expected 2 rows of 2 counts, found [2, 1]";
    assert_eq!(error.to_string(), expected);
    assert!(draw_confusion(&[], &[]).is_err());
}
