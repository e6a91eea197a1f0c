//! How much memory is left, and what does not fit into it.

use std::fs;

/// Work that does not fit into memory, found before it is begun: what allocates too much later is ended without a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("memory: expected a need of at most {} that are free, found {} ({need} bytes)", gigabytes(*.free), gigabytes(*.need))]
pub struct NotEnoughMemory {
    need: u128,
    free: u128,
}

/// Refuses work that needs more bytes than are free. Where the system does not tell, it is tried.
pub fn check_memory(need: u128) -> Result<(), NotEnoughMemory> {
    match free_memory().map(u128::from) {
        Some(free) if need > free => Err(NotEnoughMemory { need, free }),
        _ => Ok(()),
    }
}

/// Bytes that this program may still take: of the machine, of its control group, and of its limit of addresses
/// (`ulimit -v`). `None` where the system does not tell.
fn free_memory() -> Option<u64> {
    let mut system = sysinfo::System::new().ok()?;
    system.refresh_memory();
    let group = system.cgroup_limits().map(|limits| limits.free_memory);
    [Some(system.available_memory()), group, free_addresses()].into_iter().flatten().min()
}

/// What the limit of addresses leaves; `None` where there is no limit.
fn free_addresses() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let used = fs::read_to_string("/proc/self/status").ok()?;
    let limit = number_after(&limits, "Max address space")?;
    let used = number_after(&used, "VmSize:")?;
    Some(limit.saturating_sub(used.saturating_mul(1024)))
}

/// The number that follows these words in a line of its own.
fn number_after(text: &str, words: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(words))?;
    line.split_whitespace().next()?.parse().ok()
}

fn gigabytes(bytes: u128) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_with_its_need() {
        assert_eq!(check_memory(1), Ok(()));
        let error = check_memory(7_000_000_000_000_000).unwrap_err().to_string();
        assert!(error.ends_with(", found 7000000.0 GB (7000000000000000 bytes)"), "{error}");
    }

    #[test]
    fn a_limit_is_the_first_number_behind_its_name() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max address space         3072000              unlimited            bytes     \n";
        assert_eq!(number_after(limits, "Max address space"), Some(3_072_000));
        assert_eq!(number_after(&limits.replace("3072000", "unlimited"), "Max address space"), None);
        assert_eq!(number_after("VmPeak:\t  9 kB\nVmSize:\t  7 kB\n", "VmSize:"), Some(7));
    }
}
