//! Disks that are full, cannot be written, or go away.

use std::collections::BTreeSet;

use super::*;

#[test]
fn a_disk_that_is_full_at_any_write_is_named_with_the_file_and_nothing_half_is_left() {
    let ground = Ground::new(1);
    let whole = ground.alone("--image-size 32");
    // One page more is free each time, until all fits.
    let script = r#"
        mount -t tmpfs -o size=1m none "$mount" && out=$mount/store || exit 99
        for pages in {0..40}; do
            rm -rf "$mount"/*
            head -c $((1048576 - 4096 * pages)) /dev/zero >"$mount/filler" 2>/dev/null
            extract --image-size 32 2>&1 | sed -n 's/^extractor: //p; s/^hint: /hint: /p'
            code=${PIPESTATUS[0]}
            find "$out" -name '.*.tmp' -printf 'left: %f\n'
            [ $code = 0 ] && break
            [ $code = 1 ] || exit 98
        done
        cp "$out"/* "$kept""#;
    let kept = tempfile::tempdir().unwrap();
    let script = format!("kept='{}'{script}", kept.path().display());
    let Some(ended) = ground.with_mounts(&script) else { return };
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let mut named = BTreeSet::new();
    for line in ended.stdout.lines() {
        let Some(error) = line.strip_prefix("cannot write `") else {
            assert!(line.starts_with("hint: free some space"), "{line}");
            continue;
        };
        let (path, cause) = error.split_once("`: ").unwrap();
        assert!(cause.starts_with("No space left on device"), "{line}");
        named.insert(path.rsplit_once('/').unwrap().1.split('-').next().unwrap().to_owned());
    }
    let expected = ["features", "labels", "manifest.json", "rows", "shard"].map(str::to_owned);
    assert_eq!(named, BTreeSet::from(expected), "{}", ended.stdout);
    assert!(files(kept.path()) == whole);
}

#[test]
fn a_disk_that_cannot_be_written_is_told_in_the_first_second() {
    let ground = Ground::new(1);
    let script = r#"
        mount -t tmpfs none "$mount" && out=$mount/store && extract --image-size 32 || exit 99
        mount -o remount,ro "$mount" || exit 99
        "$program" verify "$out" >/dev/null && "$program" inspect "$out" >/dev/null || exit 98
        extract --image-size 32; again=$?
        out=$mount/other; extract --image-size 32; echo $again $?"#;
    let Some(ended) = ground.with_mounts(script) else { return };
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "1 1\n"), "{}", ended.stderr);
    let [again, other] = ended.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{}", ended.stderr) };
    for (line, file) in [(again, "/store/manifest.json`: "), (other, "/other`: ")] {
        assert!(line.contains(file) && line.to_lowercase().contains("read-only file"), "{line}");
    }
}

/// Many small shards, so that it takes a while and some are finished early.
const LONG: &str = "--image-size 256 --shard-size 2 --batch-size 2 --threads 1 --decode-threads 1";

#[test]
fn photographs_whose_disk_goes_away_in_mid_run_are_no_rejects_and_a_second_run_goes_on() {
    let ground = Ground::new(40);
    let whole = ground.alone(LONG);
    let script = format!(
        r#"real=$images; images=$mount
        mount --bind "$real" "$mount" || exit 99
        extract {LONG} & extraction=$!
        until [ -e "$out/shard-00000-of-00040.json" ]; do :; done
        umount --lazy "$mount"
        wait $extraction; code=$?
        mount --bind "$real" "$mount" || exit 99
        echo $code $(ls "$out" | grep -c ^shard-) $(grep -l rejected "$out"/rows-* | wc -l)
        extract {LONG}"#
    );
    let Some(ended) = ground.with_mounts(&script) else { return };
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let [error, hint] = ended.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{}", ended.stderr) };
    assert!(error.starts_with("extractor: cannot read `") && error.contains("No such file"), "{error}");
    assert!(hint.starts_with("hint: the folder of photographs went away in mid-run"), "{hint}");
    let [code, finished, rejecting] =
        ended.stdout.split_whitespace().map(|word| word.parse().unwrap()).collect::<Vec<usize>>()[..]
    else {
        panic!("{}", ended.stdout)
    };
    assert!(code == 1 && (1..40).contains(&finished) && rejecting == 0, "{}", ended.stdout);
    assert!(files(ground.out.path()) == whole);
}

#[test]
fn a_store_whose_disk_goes_away_in_mid_run_goes_on_nowhere_else() {
    let ground = Ground::new(40);
    let whole = ground.alone(LONG);
    let script = format!(
        r#"real=$out; out=$mount/store
        mount --bind "$real" "$mount" || exit 99
        extract {LONG} & extraction=$!
        until [ -e "$out/shard-00000-of-00040.json" ]; do :; done
        umount --lazy "$mount"
        wait $extraction; code=$?
        echo $code $(find "$mount" -type f | wc -l)
        mount --bind "$real" "$mount" || exit 99
        extract {LONG}"#
    );
    let Some(ended) = ground.with_mounts(&script) else { return };
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "1 0\n"), "{}", ended.stderr);
    assert!(ended.stderr.starts_with("extractor: "), "{}", ended.stderr);
    assert!(files(&ground.out.path().join("store")) == whole);
}
