//! Several users. Two processes of one user are told of beside the tasks.

use super::*;

/// In a script: runs a command as nobody, for whom folders are opened that are private otherwise.
const AS_NOBODY: &str = r#"
    nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
    chmod a+rx "$images"
    nobody "$program" --version >/dev/null 2>&1 && nobody test -r "$weights" || exit 99
"#;

fn run(ground: &Ground, script: &str) -> Option<Ended> {
    let ended = ground.shell(&format!("{AS_NOBODY}{script}"));
    if ended.code == Some(99) {
        println!("skipped: no other user may run this program: two users were not tried");
        return None;
    }
    Some(ended)
}

/// `extract` is a function of the shell, which another user cannot run.
const NOBODY_EXTRACTS: &str = r#"nobody "$program" extract -q --base tiny --weights "$weights" --precision fp32 \
    --images "$images" --out "$out" --image-size 32 --shard-size 2"#;

#[test]
fn a_folder_that_another_user_owns_is_refused_by_name() {
    let ground = Ground::new(2);
    let Some(ended) = run(&ground, &format!("chmod 700 \"$out\"; {NOBODY_EXTRACTS}")) else { return };
    assert_eq!(ended.code, Some(1));
    let start = format!("extractor: cannot prepare `{}`: Permission denied", ground.out.path().display());
    assert!(ended.stderr.starts_with(&start), "{}", ended.stderr);
    // A finished store that may be read and not written.
    let script = format!("chmod a+rx \"$out\"; extract --image-size 32 --shard-size 2 && {NOBODY_EXTRACTS}");
    let Some(ended) = run(&ground, &script) else { return };
    let manifest = ground.out.path().join("manifest.json");
    let start = format!("extractor: cannot write `{}`: ", manifest.display());
    assert!(
        ended.code == Some(1) && ended.stderr.to_lowercase().contains("permission denied"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.starts_with(&start), "{}", ended.stderr);
}

#[test]
fn two_users_make_one_store_in_a_folder_that_both_may_write() {
    let ground = Ground::new(6);
    let script = format!(
        r#"chmod a+rwx "$out"
        {NOBODY_EXTRACTS} --task-index 0 --task-count 2 & other=$!
        extract --image-size 32 --shard-size 2 --task-index 1 --task-count 2 && wait $other"#
    );
    let Some(ended) = run(&ground, &script) else { return };
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(files(ground.out.path()) == ground.alone("--image-size 32 --shard-size 2"));
    // Where one of them keeps files to itself, the other is told which.
    let Some(ended) = run(
        &ground,
        &format!("cd \"$out\"; chown 0 manifest.json; chmod 600 manifest.json; {NOBODY_EXTRACTS}"),
    ) else {
        return;
    };
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("manifest.json`: Permission denied"), "{}", ended.stderr);
}
