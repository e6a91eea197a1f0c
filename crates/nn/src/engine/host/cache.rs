//! The processor's caches.

/// What most processors have at least.
const COMMON: usize = 512 * 1024;

/// Bytes of the second cache of a core. It decides what is computed when, never what.
pub(super) fn second_cache() -> usize {
    #[cfg(target_arch = "x86_64")]
    let told = raw_cpuid::CpuId::new().get_cache_parameters().and_then(|mut caches| {
        let second = caches.find(|cache| cache.level() == 2)?;
        let lines = second.sets() * second.associativity() * second.physical_line_partitions();
        Some(lines * second.coherency_line_size())
    });
    #[cfg(not(target_arch = "x86_64"))]
    let told = None;
    // Machines that are not there tell all sorts of things.
    told.unwrap_or(COMMON).clamp(COMMON / 2, 8 * COMMON)
}
