/// The values from one end of an axis to the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    low: f64,
    high: f64,
}

/// Beyond this a sum or a difference of two values could overflow; nothing that is drawn gets near.
const LARGEST: f64 = 1e300;

impl Range {
    /// The range between two values, which may not be equal.
    pub const fn new(low: f64, high: f64) -> Self {
        Self { low, high }
    }

    /// From the least to the greatest finite value, or nothing where there is none.
    pub fn covering(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        values.into_iter().filter(|value| value.abs() < LARGEST).fold(None, |range: Option<Self>, value| {
            let range = range.unwrap_or(Self::new(value, value));
            Some(Self::new(range.low.min(value), range.high.max(value)))
        })
    }

    /// The same with a twentieth more at both ends; a single value gets room on both sides.
    pub fn padded(self) -> Self {
        let span = self.high - self.low;
        // Below this share of the value itself a difference is rounding, and its ticks would all read the same.
        let least = (self.high.abs().max(self.low.abs()) * 1e-9).max(f64::MIN_POSITIVE);
        let room = if span > least { span / 20.0 } else { (self.high.abs() / 10.0).max(1e-3) };
        Self::new(self.low - room, self.high + room)
    }

    /// The same, but not beyond these ends.
    pub fn within(self, low: f64, high: f64) -> Self {
        Self::new(self.low.max(low), self.high.min(high))
    }

    /// The lower end.
    pub const fn low(self) -> f64 {
        self.low
    }

    /// The upper end.
    pub const fn high(self) -> f64 {
        self.high
    }

    /// Where the value lies: 0 at the lower end, 1 at the upper.
    pub fn position(self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// The step of 1, 2 or 5 times a power of ten that gives at most `most` ticks.
    pub fn step(self, most: usize) -> f64 {
        let wanted = (self.high - self.low) / most.max(1) as f64;
        let power = 10f64.powf(wanted.log10().floor());
        [1.0, 2.0, 5.0]
            .into_iter()
            .map(|step| step * power)
            .find(|step| *step >= wanted)
            .unwrap_or(10.0 * power)
    }

    /// The multiples of a step from one end to the other.
    pub fn multiples(self, step: f64) -> Vec<f64> {
        // A thousandth of a step of tolerance: 0.3 / 0.1 is not quite 3.
        let first = (self.low / step - 1e-3).ceil();
        let count = (self.high / step + 1e-3).floor() - first;
        // Multiples of a step below one are divided, not multiplied: 3 / 10 is 0.3, 3 * 0.1 is not.
        let value = |at: f64| if step < 1.0 { at / (1.0 / step).round() } else { at * step };
        if !(0.0..1000.0).contains(&count) {
            return Vec::new();
        }
        (0..=count as u32).map(|tick| value(first + f64::from(tick)) + 0.0).collect()
    }
}

/// The number with as many digits as tell it from the next one, a step away.
pub fn format_with_step(value: f64, step: f64) -> String {
    let magnitude = value.abs().max(step.abs());
    if value != 0.0 && !(1e-4..1e6).contains(&magnitude) {
        return scientific(value, step);
    }
    let digits = (-step.abs().log10() - 1e-9).ceil().clamp(0.0, 12.0) as usize;
    format!("{value:.digits$}").replace('-', "−")
}

fn scientific(value: f64, step: f64) -> String {
    let digits = (value.abs().log10().floor() - step.abs().log10().floor()).clamp(0.0, 6.0) as usize;
    format!("{value:.digits$e}").replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_not_numbers_do_not_count() {
        let values = [f64::NAN, 0.4, f64::INFINITY, 0.2, f64::NEG_INFINITY];
        assert_eq!(Range::covering(values), Some(Range::new(0.2, 0.4)));
        assert_eq!(Range::covering([f64::NAN]), None);
    }

    #[test]
    fn one_value_still_gets_a_range_with_ticks_that_read_differently() {
        for value in [0.0, 1.0, -3.0, 1e-8, 5e12, 1e200] {
            let range = Range::covering([value]).unwrap().padded();
            assert!(range.low() < value && value < range.high(), "{value}");
            let step = range.step(6);
            let labels: Vec<_> =
                range.multiples(step).iter().map(|tick| format_with_step(*tick, step)).collect();
            assert!((2..=7).contains(&labels.len()), "{value}: {labels:?}");
            assert!(labels.windows(2).all(|pair| pair[0] != pair[1]), "{value}: {labels:?}");
        }
    }

    #[test]
    fn ticks_are_round_numbers() {
        let range = Range::new(0.0, 0.62);
        let step = range.step(7);
        let labels: Vec<_> = range.multiples(step).iter().map(|tick| format_with_step(*tick, step)).collect();
        assert_eq!(labels, ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6"]);
        assert_eq!(Range::new(0.0, 0.3).multiples(0.1), [0.0, 0.1, 0.2, 0.3]);
        assert_eq!(format_with_step(-2.5, 0.5), "−2.5");
        assert_eq!(format_with_step(2e6, 1e6), "2e6");
    }
}
