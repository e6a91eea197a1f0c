//! Photographs that lie, and what is none: each case after a report about some program of this kind.

use std::path::Path;
use std::process::Command;

use convbase_core::write_artifact;
use image::ImageFormat;

use super::support::*;

/// `extract` with the tests' smallest base.
pub fn tiny<const N: usize>(code: i32, images: &Path, out: &Path, more: [&str; N]) -> Said {
    let mut arguments =
        words(["extract", "--base", "tiny", "--weights", TINY.to_str().unwrap(), "--image-size", "32"]);
    arguments.extend(["--images".into(), images.into(), "--out".into(), out.into()]);
    arguments.extend(words(["--precision", "fp32"]));
    arguments.extend(words(more));
    extractor(code, &arguments)
}

/// `check` with these words behind the folder.
pub fn check<const N: usize>(code: i32, images: &Path, more: [&str; N]) -> Said {
    let mut arguments = vec!["check".into(), images.into()];
    arguments.extend(words(more));
    extractor(code, &arguments)
}

pub fn put(folder: &Path, name: &str, bytes: &[u8]) {
    write_artifact(&folder.join(name), bytes).unwrap();
}

fn mkfifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// The errors of the rejected photographs of a store of one shard.
fn rejections(store: &Path) -> Vec<(String, String)> {
    let text = |line: &serde_json::Value, name: &str| line[name].as_str().unwrap().to_owned();
    let lines = rows(store, "00000-of-00001");
    let rejected = lines.iter().filter(|line| line["status"] == "rejected");
    rejected.map(|line| (text(line, "path"), text(line, "error"))).collect()
}

#[track_caller]
fn assert_rejects(store: &Path, expected: &[(&str, &str)]) {
    let found = rejections(store);
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for ((path, error), (expected_path, part)) in found.iter().zip(expected) {
        assert!(
            path == expected_path && error.contains(part),
            "expected {expected_path}: {part}, found {path}: {error}"
        );
    }
}

#[test]
fn a_jpeg_whose_blocks_are_missing_is_rejected_however_its_end_looks() {
    let (images, out) = (photographs([("a", 4)]), tempfile::tempdir().unwrap());
    let jpeg = photograph(7, ImageFormat::Jpeg);
    let half = &jpeg[..jpeg.len() - 300];
    put(images.path(), "a/begun_anew.jpg", &[half, &jpeg].concat());
    put(images.path(), "a/closed.jpg", &[half, &[0xFF, 0xD9]].concat());
    put(images.path(), "a/cut.jpg", half);
    let mut forged = jpeg.clone();
    let frame = forged.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    forged[frame + 5..frame + 9].copy_from_slice(&[2, 0, 2, 0]);
    put(images.path(), "a/forged.jpg", &forged);
    put(images.path(), "a/padded.jpg", &[&jpeg[..jpeg.len() - 2], &[0; 9], &[0xFF, 0xD9]].concat());
    let said = tiny(0, images.path(), out.path(), ["--max-rejected", "1"]);
    assert_rejects(
        out.path(),
        &[
            ("a/begun_anew.jpg", "expected a whole JPEG, found another one before its end"),
            ("a/closed.jpg", " blocks in a scan of the JPEG, found "),
            ("a/cut.jpg", "expected a whole JPEG, found no end-of-image marker: the file is truncated"),
            ("a/forged.jpg", "the file is truncated or its size is forged"),
        ],
    );
    // What decodes and looks damaged is embedded, and said and counted.
    assert!(
        said.stderr.contains("`a/padded.jpg` may be damaged: 9 bytes of the JPEG's scans"),
        "{}",
        said.stderr
    );
    assert!(
        said.stderr.contains("1 photographs were embedded although they may be damaged"),
        "{}",
        said.stderr
    );
}

#[test]
fn small_files_that_were_got_wrong_before() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases");
    if !cases.exists() {
        println!("skipped: the small inputs in `shared` are absent");
        return;
    }
    let (images, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for entry in std::fs::read_dir(&cases).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|suffix| suffix != "md") {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            put(images.path(), &format!("a/{name}"), &std::fs::read(path).unwrap());
        }
    }
    tiny(0, images.path(), out.path(), ["--max-rejected", "1"]);
    assert_rejects(
        out.path(),
        &[
            ("a/cut_then_whole.jpg", "the file is truncated and begins anew"),
            (
                "a/grey1_32000x32000.png",
                "expected at most 178956970 pixels, found 32000 x 32000: `--max-pixels`",
            ),
            ("a/half_plus_eoi.jpg", "expected 54 blocks in a scan of the JPEG, found 10"),
            ("a/mpo_first_cut.jpg", "the file is truncated and begins anew"),
            (
                "a/pal.tif",
                "found a TIFF of palette colours with 8 bits, which is not supported: convert it to RGB",
            ),
            ("a/prog_forged_480.jpg", "expected 5400 blocks in a scan of the JPEG, found 54"),
            ("a/rgb_jpeg.tif", "found a TIFF of YCbCr with 8 bits, which is not supported"),
        ],
    );
    let both = tempfile::tempdir().unwrap();
    tiny(0, &cases.join("one_class_readable"), both.path(), []);
    assert_eq!(rows(both.path(), "00000-of-00001").len(), 8);
}

#[test]
fn what_is_no_file_is_never_opened() {
    let (images, out) = (photographs([("a", 2)]), tempfile::tempdir().unwrap());
    mkfifo(&images.path().join("a/live.jpg"));
    std::os::unix::fs::symlink("/dev/zero", images.path().join("a/zero.jpg")).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(images.path().join("a/socket.png")).unwrap();
    let expected = [
        ("a/live.jpg", "expected a file, found a pipe"),
        ("a/socket.png", "expected a file, found a socket"),
        ("a/zero.jpg", "expected a file, found a device"),
    ];
    tiny(0, images.path(), out.path(), ["--max-rejected", "1"]);
    assert_rejects(out.path(), &expected);
    let said = check(1, images.path(), []);
    for (path, error) in expected {
        assert!(said.stdout.contains(&format!("unreadable: `{path}`: {error}")), "{}", said.stdout);
    }
    drop(socket);
}

#[test]
fn one_signal_ends_a_run_whose_disk_does_not_answer() {
    use std::io::{BufRead, BufReader, Write};
    use std::process::Stdio;
    let (images, out) = (photographs([("a", 2)]), tempfile::tempdir().unwrap());
    let path = images.path().join("a/0.png");
    // A file that another process holds a lease on makes whoever opens it wait for 45 seconds.
    let hold = "import fcntl, signal, sys\n\
                signal.signal(signal.SIGIO, lambda *_: print('asked', flush=True))\n\
                file = open(sys.argv[1])\n\
                fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)\n\
                print('held', flush=True)\n\
                sys.stdin.readline()";
    let mut holder = Command::new("python3")
        .args(["-c", hold])
        .arg(&path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    if lines.next().is_none() {
        holder.wait().unwrap();
        println!("skipped: this file system gives no leases");
        return;
    }
    let mut run = Command::new(env!("CARGO_BIN_EXE_extractor"))
        .args(["extract", "--base", "tiny", "--image-size", "32", "--precision", "fp32"])
        .args([
            std::ffi::OsStr::new("--weights"),
            TINY.as_os_str(),
            "--images".as_ref(),
            images.path().as_os_str(),
        ])
        .args([std::ffi::OsStr::new("--out"), out.path().as_os_str()])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "asked"); // Now it waits.
    assert!(Command::new("kill").arg(run.id().to_string()).status().unwrap().success());
    assert_eq!(run.wait().unwrap().code(), Some(75));
    let said = std::io::read_to_string(run.stderr.take().unwrap()).unwrap();
    assert!(said.contains("something did not return within 20 s and is left"), "{said}");
    holder.stdin.take().unwrap().write_all(b"\n").unwrap();
    holder.wait().unwrap();
    // The same command goes on.
    tiny(0, images.path(), out.path(), []);
}

#[test]
fn more_pixels_than_allowed_are_refused_before_they_are_decoded() {
    let (images, out) = (photographs([("a", 2)]), tempfile::tempdir().unwrap());
    let said = tiny(1, images.path(), out.path(), ["--max-pixels", "1919"]);
    assert!(said.stderr.contains("expected at most 1919 pixels, found 48 x 40"), "{}", said.stderr);
    tiny(0, images.path(), out.path(), ["--max-pixels", "1920"]);
}

/// A photograph with an orientation in its metadata, and the same with its pixels turned.
fn turned() -> [Vec<u8>; 2] {
    let image = image::load_from_memory(&photograph(3, ImageFormat::Png)).unwrap();
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    // A TIFF header, one entry: 0x0112 orientation, a short, 6: a quarter turn to the right.
    let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    image::ImageEncoder::set_exif_metadata(&mut encoder, exif).unwrap();
    image.write_with_encoder(encoder).unwrap();
    let mut upright = std::io::Cursor::new(Vec::new());
    image.rotate90().write_to(&mut upright, ImageFormat::Png).unwrap();
    [bytes.into_inner(), upright.into_inner()]
}

#[test]
fn an_orientation_is_applied_where_it_is_asked_for_and_is_a_part_of_what_features_are() {
    let [images, upright] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let [marked, pixels] = turned();
    for number in 0..2 {
        put(images.path(), &format!("a/{number}.png"), &marked);
        put(upright.path(), &format!("a/{number}.png"), &pixels);
    }
    let [as_keras, as_meant, expected] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    tiny(0, images.path(), as_keras.path(), []);
    tiny(0, images.path(), as_meant.path(), ["--exif-orientation"]);
    tiny(0, upright.path(), expected.path(), []);
    assert_eq!(features(as_meant.path()), features(expected.path()));
    assert_ne!(features(as_keras.path()), features(expected.path()));
    let manifest = |store: &Path| json(&store.join("manifest.json"));
    assert_ne!(manifest(as_meant.path())["feature_id"], manifest(as_keras.path())["feature_id"]);
    assert_eq!(manifest(as_meant.path())["spec"]["exif_orientation"], true);
    assert!(manifest(as_keras.path())["spec"].get("exif_orientation").is_none());
    let said = tiny(1, images.path(), as_keras.path(), ["--exif-orientation"]);
    assert!(said.stderr.contains("exif_orientation: expected "), "{}", said.stderr);
}
