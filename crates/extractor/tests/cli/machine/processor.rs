//! One processor, or one that can do less.

use super::*;

#[test]
fn one_processor_gives_the_same_bytes() {
    if !works(&["taskset", "-c", "0", "true"]) {
        println!("skipped: there is no taskset: one processor was not tried");
        return;
    }
    let ground = Ground::new(4);
    let ended = ground.shell("taskset -pc 0 $$ >/dev/null; extract --image-size 32");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(files(ground.out.path()) == ground.alone("--image-size 32"));
}

#[test]
fn libtorch_with_fewer_vector_instructions_gives_nearly_the_same() {
    let ground = Ground::new(2);
    assert_eq!(ground.shell("extract --image-size 32").code, Some(0));
    let expected = features(ground.out.path());
    for (capability, set) in [("avx2", "AVX2"), ("default", "SSE41")] {
        let ended = ground.shell(&format!(
            "export ATEN_CPU_CAPABILITY={capability} ONEDNN_MAX_CPU_ISA={set}; extract --image-size 32 --overwrite"
        ));
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{capability}");
        assert_close(&features(ground.out.path()), &expected);
    }
}

/// Whole programs on a processor that is imitated. What our own kernels do with each width of vectors, their unit tests
/// tell.
#[test]
fn a_processor_without_avx_512_gives_the_same_bytes_and_one_without_avx2_nearly_the_same() {
    if !cfg!(target_arch = "x86_64") || !works(&["qemu-x86_64", "-cpu", "Nehalem", "/bin/true"]) {
        println!("skipped: there is no qemu-x86_64: whole programs were not run on lesser processors");
        return;
    }
    let ground = Ground::new(1);
    let run = |imitated: &str, engine: &str| {
        let ended = ground.shell(&format!(
            "rm -rf \"$out\"/*; {imitated} \"$program\" extract --weights '{}' --layer block2_pool --precision fp32 \
             --images \"$images\" --out \"$out\" --image-size 16 --batch-size 1",
            WEIGHTS.display()
        ));
        assert_eq!(ended.code, Some(0), "{imitated}: {}", ended.stderr);
        assert!(ended.stderr.contains(engine), "{imitated}: {}", ended.stderr);
        files(ground.out.path())
    };
    let haswell = run("qemu-x86_64 -cpu Haswell", "our kernels on wide vectors");
    let numbers = features(ground.out.path());
    run("qemu-x86_64 -cpu Nehalem", "libtorch");
    assert_close(&features(ground.out.path()), &numbers);
    let has_avx2 = std::fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| text.contains(" avx2 "));
    assert!(!has_avx2 || run("", "our kernels on wide vectors") == haswell);
}
