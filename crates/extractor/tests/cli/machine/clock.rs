//! Clocks that are wrong, or jump.

use super::*;

#[test]
fn times_of_files_decide_nothing() {
    let ground = Ground::new(4);
    let words = "--image-size 32 --shard-size 2";
    let whole = ground.alone(words);
    // Photographs of the far future, half a store of the far past, and the other way round.
    for (photographs, store) in [("2100-01-01", "1970-01-02"), ("1970-01-02", "2100-01-01")] {
        let ended = ground.shell(&format!(
            r#"rm -rf "$out"/*
            find "$images" -exec touch -d {photographs} {{}} +
            extract {words} --task-index 0 --task-count 2 || exit
            find "$out" -exec touch -d {store} {{}} +
            "$program" extract --base tiny --weights "$weights" --precision fp32 --images "$images" --out "$out" {words}"#
        ));
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.stderr.contains("2 of 4 shards are finished and kept"), "{}", ended.stderr);
        assert!(files(ground.out.path()) == whole);
    }
}
