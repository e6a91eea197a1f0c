//! Rotation without the platform's mathematical library, whose last bit differs from machine to machine.

use std::f64::consts::TAU;

/// Sine and cosine of an angle in turns: 1 is a full circle.
pub fn sine_cosine(turns: f32) -> (f32, f32) {
    (sine(f64::from(turns)) as f32, sine(f64::from(turns) + 0.25) as f32)
}

/// Taylor's series needs only products and sums, which IEEE 754 defines to the last bit.
fn sine(turns: f64) -> f64 {
    let turns = turns - turns.round();
    let folded = if turns > 0.25 {
        0.5 - turns
    } else if turns < -0.25 {
        -0.5 - turns
    } else {
        turns
    };
    let x = folded * TAU;
    let square = x * x;
    let mut term = x;
    let mut sum = x;
    for step in 1..8 {
        let even = f64::from(2 * step);
        term *= -square / (even * (even + 1.0));
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_agrees_with_the_library_to_six_digits() {
        for step in -300_i16..300 {
            let turns = f32::from(step) / 100.0;
            let (sine, cosine) = sine_cosine(turns);
            let radians = f64::from(turns) * TAU;
            assert!((f64::from(sine) - radians.sin()).abs() < 1e-6, "{turns}");
            assert!((f64::from(cosine) - radians.cos()).abs() < 1e-6, "{turns}");
        }
    }
}
