//! Chance that is the same on every machine.

/// SplitMix64: small, and its whole state is one word, so each picture can have a stream of its own.
pub struct Random(u64);

impl Random {
    /// The stream that belongs to these words; other words, other stream.
    pub fn of(words: &[u64]) -> Self {
        Self(words.iter().fold(0, |state, word| Self(state ^ word).next()))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to just below 1, in 24 bits, all of which an `f32` holds.
    pub fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 24) as f32
    }

    /// From `low` to `high`.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// A whole number from `low` to `high`, both included.
    pub fn count(&mut self, low: u32, high: u32) -> u32 {
        low + (self.next() % u64::from(high - low + 1)) as u32
    }

    /// True in this share of cases.
    pub fn chance(&mut self, share: f32) -> bool {
        self.unit() < share
    }

    /// One of several.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.count(0, choices.len() as u32 - 1) as usize]
    }

    /// A word to seed something else with.
    pub fn word(&mut self) -> u32 {
        (self.next() >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_splitmix64_as_published() {
        let mut random = Random(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn other_words_or_another_order_give_another_stream() {
        let first = |words: &[u64]| Random::of(words).next();
        assert_eq!(first(&[42, 0, 1]), first(&[42, 0, 1]));
        assert_ne!(first(&[42, 0, 1]), first(&[42, 1, 0]));
        assert_ne!(first(&[42, 0, 1]), first(&[43, 0, 1]));
    }

    #[test]
    fn numbers_stay_inside_their_bounds() {
        let mut random = Random::of(&[7]);
        for _ in 0..10_000 {
            assert!((0.0..1.0).contains(&random.unit()));
            assert!((3..=5).contains(&random.count(3, 5)));
        }
    }
}
