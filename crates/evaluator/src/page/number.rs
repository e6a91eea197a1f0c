//! Numbers as people read them.

/// A share as a percentage with one digit behind the point: `97.5 %`, with a space that does not break.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1}\u{a0}%", 100.0 * share)
}

/// A count with commas between thousands: `2,000`.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_told_apart() {
        let counts = [0, 12, 999, 1_000, 12_345, 1_234_567];
        assert_eq!(counts.map(grouped), ["0", "12", "999", "1,000", "12,345", "1,234,567"]);
        assert_eq!(percent(0.9749), "97.5\u{a0}%");
    }
}
