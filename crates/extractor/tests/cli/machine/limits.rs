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
        ground.shell(&format!("ulimit -v 3000000; extract --image-size 1024 --threads 1 {words}"))
    };
    let ended = run("--batch-size 4096");
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let [error, hint] = ended.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{}", ended.stderr) };
    assert!(error.starts_with("extractor: memory: expected a need of at most "), "{error}");
    // 24 photographs whose first two maps of 16 channels are there at the same time, and their pixels.
    let need = 24_u64 * 1024 * 1024 * (2 * 16 * 4 + 3);
    assert!(error.ends_with(&format!(" that are free, found 3.3 GB ({need} bytes)")), "{error}");
    assert!(hint.starts_with("hint: ") && hint.contains("`--batch-size`"), "{hint}");
    assert!(!has_receipt(ground.out.path()));
    assert_eq!(run("--batch-size 1").code, Some(0));
}
