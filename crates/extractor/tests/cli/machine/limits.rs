//! Descriptors and memory.

use super::*;

#[test]
fn sixteen_descriptors_are_enough_for_any_number_of_shards() {
    let ground = Ground::new(12);
    let words = "--image-size 32 --shard-size 2 --batch-size 2";
    let ended = ground.shell(&format!("ulimit -n 16; extract {words} && \"$program\" verify \"$out\""));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(files(ground.out.path()) == ground.alone(words));
}

#[test]
fn a_photograph_that_cannot_be_opened_for_want_of_descriptors_is_no_reject() {
    let ground = Ground::new(20);
    // Of the four, one is left; the shard that is written needs it, and so does each photograph.
    let words = "--image-size 32 --batch-size 1 --threads 1 --decode-threads 1";
    let ended = ground.shell(&format!("ulimit -n 4; extract {words}"));
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.starts_with("extractor: cannot "), "{}", ended.stderr);
    assert!(ended.stderr.contains("Too many open files"), "{}", ended.stderr);
    assert!(ended.stderr.contains("\nhint: raise the number of files"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("rejected `") && !has_receipt(ground.out.path()), "{}", ended.stderr);
    let whole = ground.alone(words);
    assert_eq!(ground.shell(&format!("extract {words}")).code, Some(0));
    assert!(files(ground.out.path()) == whole);
}

#[test]
fn a_batch_that_does_not_fit_into_memory_is_refused_with_its_need_and_a_smaller_one_works() {
    let ground = Ground::new(12);
    let run = |words: &str| {
        let views = "--image-size 512 --views 20 --augment flip --threads 1 --decode-threads 1";
        ground.shell(&format!("ulimit -v 1000000; extract {views} {words}"))
    };
    let ended = run("--batch-size 4096");
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let [error, hint] = ended.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{}", ended.stderr) };
    assert!(error.starts_with("extractor: memory: expected a need of at most "), "{error}");
    let bytes = error.rsplit_once('(').and_then(|(_, need)| need.strip_suffix(" bytes)")).unwrap();
    // The pixels of 24 photographs, 20 views of each, and their features; the maps of one pass are far smaller.
    let images = 24 * 20 * (512 * 512 * 3 + 64 * 64 * 32 * 4);
    let need: u64 = bytes.parse().unwrap();
    assert!((images..images + images / 2).contains(&need), "{error}");
    assert!(hint.starts_with("hint: ") && hint.contains("`--batch-size`"), "{hint}");
    assert!(!has_receipt(ground.out.path()));
    assert_eq!(run("--batch-size 1").code, Some(0));
}
