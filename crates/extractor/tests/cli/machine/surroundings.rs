//! Environments that lack what programs are used to.

use super::*;

#[test]
fn no_home_no_variables_and_a_current_folder_that_cannot_be_written_are_no_trouble() {
    let ground = Ground::new(2);
    let whole = ground.alone("--image-size 32");
    let script = r#"
        mount -t tmpfs none "$mount" && mount -o remount,ro "$mount" && cd "$mount" || exit 99
        env -i "$program" extract -q --base tiny --weights "$weights" --precision fp32 --images "$images" --out "$out" \
            --image-size 32 &&
        env -i HOME=/nowhere TMPDIR=/nowhere "$program" verify "$out""#;
    let Some(ended) = ground.with_mounts(script) else { return };
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(files(ground.out.path()) == whole);
}

#[test]
fn names_are_utf_8_whatever_the_locale_says() {
    let ground = Ground::new(1);
    let kasten = ground.images.path().join("Kästen");
    std::fs::rename(ground.images.path().join("cats"), &kasten).unwrap();
    std::fs::rename(kasten.join("0.png"), kasten.join("日本.png")).unwrap();
    let whole = ground.alone("--image-size 32");
    for locale in ["LC_ALL=C", "LC_ALL=POSIX LANG=", "-u LC_ALL -u LANG", "LC_ALL=no_such.locale"] {
        let ended = ground.shell(&format!(
            r#"rm -rf "$out"/*; env {locale} "$program" extract -q --base tiny --weights "$weights" --precision fp32 \
                --images "$images" --out "$out" --image-size 32 && env {locale} "$program" inspect "$out""#
        ));
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{locale}");
        assert!(ended.stdout.contains("  Kästen\n"), "{locale}: {}", ended.stdout);
        assert!(files(ground.out.path()) == whole, "{locale}");
    }
    assert_eq!(rows(ground.out.path(), "00000-of-00001")[0]["path"], "Kästen/日本.png");
}
