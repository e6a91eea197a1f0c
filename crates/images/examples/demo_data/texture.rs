//! Noise that looks like matter.

/// Smooth noise from -1 to 1 over a lattice of whole numbers.
pub fn noise(seed: u32, x: f32, y: f32) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let ease = |share: f32| share * share * (3.0 - 2.0 * share);
    let (across, down) = (ease(x - left), ease(y - top));
    let corner = |dx: i32, dy: i32| lattice(seed, left as i32 + dx, top as i32 + dy);
    let above = corner(0, 0) + (corner(1, 0) - corner(0, 0)) * across;
    let below = corner(0, 1) + (corner(1, 1) - corner(0, 1)) * across;
    above + (below - above) * down
}

/// Several sizes of noise over one another.
pub fn cloud(seed: u32, x: f32, y: f32, octaves: u32) -> f32 {
    let (mut sum, mut scale, mut strength) = (0.0, 1.0, 0.5);
    for octave in 0..octaves {
        sum += strength * noise(seed.wrapping_add(octave), x * scale, y * scale);
        scale *= 2.0;
        strength *= 0.5;
    }
    sum
}

/// A value from -1 to 1 that belongs to one lattice point.
pub fn lattice(seed: u32, x: i32, y: i32) -> f32 {
    let mut hash = seed ^ (x as u32).wrapping_mul(0x85eb_ca6b) ^ (y as u32).wrapping_mul(0xc2b2_ae35);
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x7feb_352d);
    hash = (hash ^ (hash >> 15)).wrapping_mul(0x846c_a68b);
    hash ^= hash >> 16;
    (hash >> 8) as f32 / (1 << 23) as f32 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_meets_the_lattice_and_stays_within_bounds() {
        assert_eq!(noise(9, 3.0, -2.0), lattice(9, 3, -2));
        for step in 0_u16..2000 {
            let value = noise(9, f32::from(step) * 0.37, f32::from(step) * 0.11);
            assert!((-1.0..=1.0).contains(&value));
        }
    }
}
