//! Random numbers that depend on a seed alone.

use std::sync::{Mutex, PoisonError};

/// libtorch draws from one generator for the whole process. Who holds this lock has it alone.
static GENERATOR: Mutex<()> = Mutex::new(());

/// Runs `draw` with libtorch's generator at the start of `seed`'s sequence, whatever other threads draw here.
pub(crate) fn seeded<T>(seed: u64, draw: impl FnOnce() -> T) -> T {
    let _guard = GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
    // The bits count, not the sign.
    tch::manual_seed(seed as i64);
    draw()
}

/// A seed of its own for every step of every epoch, so that what a step draws does not depend on the steps before.
///
/// The mixing is splitmix64's finaliser (Steele, Lea and Flood 2014).
pub(crate) fn seed_for(seed: u64, epoch: u32, step: u64) -> u64 {
    let mix = |value: u64| {
        let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        value ^ (value >> 31)
    };
    [u64::from(epoch), step].iter().fold(seed, |state, &part| {
        mix(state.wrapping_add(0x9E37_79B9_7F4A_7C15).wrapping_add(mix(part.wrapping_add(1))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind, Tensor};

    #[test]
    fn threads_that_draw_at_the_same_time_do_not_disturb_one_another() {
        let draw = |seed: u64| {
            seeded(seed, || {
                let first = Tensor::rand([1000], (Kind::Float, Device::Cpu));
                (first + Tensor::rand([1000], (Kind::Float, Device::Cpu))).sum(Kind::Double).double_value(&[])
            })
        };
        let expected: Vec<f64> = (0..4).map(draw).collect();
        let found: Vec<f64> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|seed| {
                    scope.spawn(move || {
                        let drawn: Vec<f64> = (0..50).map(|_| draw(seed)).collect();
                        assert!(drawn.iter().all(|number| *number == drawn[0]));
                        drawn[0]
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn no_two_steps_share_a_seed() {
        let seeds: std::collections::HashSet<u64> = (0..20)
            .flat_map(|seed| {
                (0..20).flat_map(move |epoch| (0..20).map(move |step| seed_for(seed, epoch, step)))
            })
            .collect();
        assert_eq!(seeds.len(), 8000);
    }
}
