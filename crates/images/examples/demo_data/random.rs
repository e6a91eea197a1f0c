//! Chance that is the same on every machine.

/// SplitMix64: small, and its whole state is one word, so each picture can have a stream of its own.
pub struct Random(pub u64);

impl Random {
    /// The stream that belongs to these words; other words, other stream.
    pub fn of(words: &[u64]) -> Self {
        Self(words.iter().fold(0, |state, word| Self(state ^ word).next()))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to just below 1, in 24 bits, all of which an `f32` holds.
    pub fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 24) as f32
    }

    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[(self.next() % choices.len() as u64) as usize]
    }
}

/// A value from -1 to 1 that belongs to one point of a lattice.
pub fn lattice(seed: u64, x: i32, y: i32) -> f32 {
    Random::of(&[seed, u64::from(x as u32) << 32 | u64::from(y as u32)]).between(-1.0, 1.0)
}

/// Smooth noise from -1 to 1 that meets the lattice's values at its points.
pub fn noise(seed: u64, x: f32, y: f32) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let ease = |share: f32| share * share * (3.0 - 2.0 * share);
    let mix = |from: f32, to: f32, share: f32| from + (to - from) * ease(share);
    let corner = |dx: i32, dy: i32| lattice(seed, left as i32 + dx, top as i32 + dy);
    let row = |dy: i32| mix(corner(0, dy), corner(1, dy), x - left);
    mix(row(0), row(1), y - top)
}

/// Noise of several sizes, each half as large and half as strong as the one before.
pub fn cloud(seed: u64, x: f32, y: f32) -> f32 {
    [1.0, 2.0, 4.0].iter().map(|scale| noise(seed, x * scale, y * scale) / (2.0 * scale)).sum()
}
