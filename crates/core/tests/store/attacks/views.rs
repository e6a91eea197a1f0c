//! Named attacks on a store whose photographs have several views.

use convbase_core::store::verify;
use convbase_core::write_json;
use serde_json::json;

use super::Store;
use crate::support::{Contents, contents_of_views, files};

#[test]
fn views_that_are_missing_doubled_or_of_another_photograph_are_found() {
    let text =
        String::from_utf8(files(Store::of(&contents_of_views()).path())["rows-00000-of-00003.jsonl"].clone())
            .unwrap();
    // Two photographs of two views each, and one that was rejected.
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 5);
    let joined = |order: &[usize]| order.iter().map(|&line| format!("{}\n", lines[line])).collect::<String>();
    let renumbered = |order: &[usize]| {
        let line = |(row, &line): (usize, &usize)| {
            let (start, rest) = lines[line].split_once("\"row\":").unwrap();
            format!("{start}\"row\":{row}{}\n", &rest[rest.find(',').unwrap()..])
        };
        order.iter().enumerate().map(line).collect::<String>()
    };
    let cases = [
        (joined(&[0, 1, 2, 3]), "expected 3 images with 4 rows, found 2 with 4"),
        (joined(&[0, 1, 4]), "expected 3 images with 4 rows, found 2 with 2"),
        (joined(&[0, 1, 2, 4]), "line 4: view: expected 1 of `001/ü 1.jpg`, found `002/ü 2.jpg`"),
        (joined(&[0, 1, 2]), "line 4: view: expected 1 of `001/ü 1.jpg`, found the end of the file"),
        (renumbered(&[1, 0]), "line 1: view: expected 0, found 1"),
        (renumbered(&[0, 2]), "line 2: view: expected 1 of `000/ü 0.jpg`, found `001/ü 1.jpg`"),
        (renumbered(&[0, 0]), "line 2: view: expected 1 of `000/ü 0.jpg`, found 0"),
        (renumbered(&[0, 1, 1]), "line 3: path: expected one after `000/ü 0.jpg`, found 000/ü 0.jpg"),
        (text.replace("\"view\":1", "\"view\":2"), "view: expected 1 of `000/ü 0.jpg`, found 2"),
        (text.replace(",\"view\":0", ""), "line 1: view: expected 0, found none"),
        (
            text.replacen("\"height\":0", "\"height\":9", 1),
            "line 2: photograph: expected as in the line before",
        ),
        (text.replace("\"view\":0", "\"view\":-1"), "line 1: "),
    ];
    for (text, part) in cases {
        let store = Store::of(&contents_of_views());
        store.put("rows", text.as_bytes());
        store.assert_found(part);
    }
}

#[test]
fn views_in_a_store_of_one_view_are_found() {
    let store = Store::new();
    let text = String::from_utf8(files(store.path())["rows-00000-of-00003.jsonl"].clone()).unwrap();
    store.put("rows", text.replace("\"row\":0", "\"row\":0,\"view\":0").as_bytes());
    store.assert_found("line 1: view: expected none, found 0");
}

#[test]
fn receipts_that_do_not_count_photographs_and_their_views_are_refused() {
    let store = Store::of(&contents_of_views());
    let path = store.path().join("shard-00000-of-00003.json");
    let receipt: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(
        (&receipt["images"], &receipt["rows"], &receipt["rejected"]),
        (&3.into(), &4.into(), &1.into())
    );
    for (images, rows, rejected, part) in [
        (3, 3, 1, "rows % views: expected 0, found 1"),
        (3, 2, 1, "rows / views + rejected: expected 3, found 2"),
        (3, 6, 1, "rows / views + rejected: expected 3, found 4"),
        (3, 4, 0, "rows / views + rejected: expected 3, found 2"),
        (6, 4, 4, "images: expected 3, found 6"),
        (3, usize::MAX - 1, 1, "rows / views + rejected: expected 3, found 9223372036854775808"),
        (3, 4, usize::MAX, "rows / views + rejected: expected 3, found 18446744073709551615"),
    ] {
        let mut forged = receipt.clone();
        (forged["images"], forged["rows"], forged["rejected"]) =
            (images.into(), rows.into(), rejected.into());
        write_json(&path, &forged).unwrap();
        store.assert_refused(part);
    }
}

#[test]
fn a_plan_cannot_claim_other_views_than_its_shards_were_made_with() {
    let store = Store::of(&contents_of_views());
    let document = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut document = serde_json::to_value(contents_of_views().manifest()).unwrap();
        change(&mut document);
        write_json(&store.path().join("manifest.json"), &document).unwrap();
    };
    for (count, part) in [
        (1_u64, "count: expected 2 to 1000, found 1"),
        (1001, "count: expected 2 to 1000, found 1001"),
        (u64::MAX, "count: expected 2 to 1000, found 18446744073709551615"),
    ] {
        document(&|document| document["views"]["count"] = json!(count));
        store.assert_refused(part);
    }
    document(&|document| document["format"] = json!("convbase-features/1"));
    store.assert_refused("views: expected none in convbase-features/1, found 2 views");
    document(&|document| _ = document.as_object_mut().unwrap().remove("views"));
    store.assert_refused("views: expected some in convbase-features/2, found none");
    let four = Contents { views: 4, ..contents_of_views() };
    write_json(&store.path().join("manifest.json"), &four.manifest()).unwrap();
    store.assert_refused("rows / views + rejected: expected 3, found 2");
    write_json(&store.path().join("manifest.json"), &contents_of_views().manifest()).unwrap();
    assert_eq!(verify(store.path()).findings, []);
}
