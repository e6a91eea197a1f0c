use std::path::PathBuf;

use super::*;

const PROBABILITIES: [f64; 3] = [0.25, 0.125, 0.625];

fn classes() -> [String; 3] {
    ["cats", "hounds, large", "犬"].map(str::to_owned)
}

fn said(threshold: Option<f64>, problem: Option<&str>) -> Said<'static> {
    let decision = Decision::new(&PROBABILITIES, threshold).unwrap();
    Said::Classes { decision, problem: problem.map(str::to_owned) }
}

/// The header, and a line each of a photograph that is certain, uncertain, not copied and unreadable.
fn lines(format: OutputFormat, top_k: Option<u32>) -> String {
    let classes = classes();
    let first =
        Chunk { images: vec![PathBuf::from("a,b.jpg"), PathBuf::from("c\u{1b}.jpg")], ..Chunk::default() };
    let lines = Lines::new(format, &classes, top_k, &first);
    let four = [
        said(None, None),
        said(Some(0.75), None),
        said(None, Some("not copied")),
        Said::Unreadable("no image".to_owned()),
    ];
    let paths = ["a,b.jpg", "c\u{1b}.jpg", "d", "e"];
    let written = paths.iter().zip(&four).map(|(path, said)| lines.line(path, said));
    lines.header() + &written.collect::<String>()
}

#[test]
fn every_csv_line_has_as_many_fields_as_the_header() {
    let expected = "path,prediction,prob_cats,\"prob_hounds, large\",prob_犬,error\n\
        \"a,b.jpg\",犬,0.25,0.125,0.625,\n\
        c\u{1b}.jpg,,0.25,0.125,0.625,\n\
        d,犬,0.25,0.125,0.625,not copied\n\
        e,,,,,no image\n";
    assert_eq!(lines(OutputFormat::Csv, None), expected);
}

#[test]
fn the_most_probable_classes_come_first_and_no_more_than_there_are() {
    let expected = "path,prediction,prediction_1,probability_1,prediction_2,probability_2,error\n\
        \"a,b.jpg\",犬,犬,0.625,cats,0.25,\n\
        c\u{1b}.jpg,,犬,0.625,cats,0.25,\n\
        d,犬,犬,0.625,cats,0.25,not copied\n\
        e,,,,,,no image\n";
    assert_eq!(lines(OutputFormat::Csv, Some(2)), expected);
    assert_eq!(lines(OutputFormat::Csv, Some(3)), lines(OutputFormat::Csv, Some(u32::MAX)));
}

#[test]
fn a_json_line_is_one_object() {
    let read = |top_k| -> Vec<Value> {
        let lines = lines(OutputFormat::Json, top_k);
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let probabilities = json!({"cats": 0.25, "hounds, large": 0.125, "犬": 0.625});
    let expected = [
        json!({"path": "a,b.jpg", "prediction": "犬", "probabilities": probabilities}),
        json!({"path": "c\u{1b}.jpg", "prediction": null, "probabilities": probabilities}),
        json!({"path": "d", "prediction": "犬", "probabilities": probabilities, "error": "not copied"}),
        json!({"path": "e", "error": "no image"}),
    ];
    assert_eq!(read(None), expected);
    let top = json!([{"class": "犬", "probability": 0.625}, {"class": "cats", "probability": 0.25}]);
    assert_eq!(read(Some(2))[1], json!({"path": "c\u{1b}.jpg", "prediction": null, "top": top}));
}

#[test]
fn a_table_is_aligned_whatever_the_names_and_holds_no_control_characters() {
    let expected = "\
path         prediction     probability  others
a,b.jpg      犬                   0.625  cats 0.250, hounds, large 0.125
c\\u{1b}.jpg  uncertain            0.625  犬 0.625, cats 0.250, hounds, large 0.125
d            犬                   0.625  cats 0.250, hounds, large 0.125, not copied
e            unreadable                  no image
";
    assert_eq!(lines(OutputFormat::Table, None), expected);
    let one = lines(OutputFormat::Table, Some(1));
    let mut rows = one.lines();
    assert_eq!(rows.next(), Some("path         prediction     probability  others"));
    assert_eq!(rows.next(), Some("a,b.jpg      犬                   0.625"));
    assert_eq!(rows.next(), Some("c\\u{1b}.jpg  uncertain            0.625  犬 0.625"));
}
