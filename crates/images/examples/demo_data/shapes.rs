//! Shapes that several things are made of.

use crate::angle::sine_cosine;
use crate::layer::Point;
use crate::random::Random;

/// A rounded shape at a random angle; `roughness` 0 is an ellipse, 0.3 a pebble.
pub fn blob(center: Point, radii: (f32, f32), roughness: f32, random: &mut Random) -> Vec<Point> {
    const CORNERS: u16 = 36;
    let (sine, cosine) = sine_cosine(random.unit());
    let waves = [random.unit(), random.unit(), random.unit()];
    (0..CORNERS)
        .map(|corner| {
            let turns = f32::from(corner) / f32::from(CORNERS);
            let bump = sine_cosine(2.0 * turns + waves[0]).0 * 0.5
                + sine_cosine(3.0 * turns + waves[1]).0 * 0.35
                + sine_cosine(5.0 * turns + waves[2]).0 * 0.15;
            let (y, x) = sine_cosine(turns);
            let (x, y) = (x * radii.0 * (1.0 + roughness * bump), y * radii.1 * (1.0 + roughness * bump));
            [center[0] + x * cosine - y * sine, center[1] + x * sine + y * cosine]
        })
        .collect()
}

/// A line that wanders from `start` in the direction of `turns`.
pub fn wander(start: Point, turns: f32, length: f32, restless: f32, random: &mut Random) -> Vec<Point> {
    const STEPS: u8 = 14;
    let mut turns = turns;
    let mut point = start;
    let mut line = vec![point];
    for _ in 0..STEPS {
        turns += random.between(-restless, restless);
        let (sine, cosine) = sine_cosine(turns);
        let step = length / f32::from(STEPS);
        point = [point[0] + step * cosine, point[1] + step * sine];
        line.push(point);
    }
    line
}
