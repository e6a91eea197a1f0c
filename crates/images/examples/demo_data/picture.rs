//! Composes one picture.

use crate::class::Class;
use crate::difficulty::Difficulty;
use crate::layer::{Layer, Point};
use crate::lens::Lens;
use crate::outline::Pose;
use crate::plan::Split;
use crate::random::Random;
use crate::tint::Tint;
use crate::traits::Traits;
use crate::{backdrop, distractor, specimen};

/// One picture of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    pub split: Split,
    pub class: Class,
    pub index: u32,
}

/// Red, green and blue, row by row.
pub struct Photograph {
    pub width: u32,
    pub height: u32,
    pub pixels: Vec<u8>,
}

impl Picture {
    /// A stream of its own, so that neither the other pictures nor their number matter.
    pub fn random(self, seed: u64) -> Random {
        Random::of(&[seed, self.split as u64, self.class as u64, u64::from(self.index)])
    }

    /// Takes the photograph.
    pub fn take(self, difficulty: &Difficulty, random: &mut Random) -> Photograph {
        let (width, height) = size(random);
        let shorter = width.min(height) as f32;
        let lens = Lens::choose(difficulty, shorter, random);
        let (mut scene, ground) = backdrop::draw(width, height, random);

        let mut things = Layer::new(width, height);
        for _ in 0..random.count(difficulty.distractors.0, difficulty.distractors.1) {
            let place = anywhere(width, height, random);
            distractor::draw(&mut things, place, shorter * random.between(0.1, 0.24), random);
        }
        lens.lay(&mut scene, &things);

        let pose = pose(width, height, difficulty, random);
        if random.chance(difficulty.decoy) {
            let share = random.between(difficulty.decoy_length.0, difficulty.decoy_length.1);
            let center = anywhere(width, height, random);
            let decoy = Pose { center, length: pose.length * share, turns: random.unit() };
            lens.lay(
                &mut scene,
                &grown(self.class.other(), decoy, None, difficulty, (width, height), random),
            );
        }
        let camouflage = random.chance(difficulty.camouflaged).then_some(ground);
        lens.lay(&mut scene, &grown(self.class, pose, camouflage, difficulty, (width, height), random));

        if random.chance(difficulty.occluded) {
            let mut thing = Layer::new(width, height);
            let reach = pose.length * 0.25;
            let place = pose.center.map(|value| value + random.between(-reach, reach));
            if random.chance(0.5) {
                distractor::twig(&mut thing, place, pose.length * random.between(0.6, 1.1), random);
            } else {
                distractor::draw(&mut thing, place, pose.length * random.between(0.2, 0.4), random);
            }
            lens.lay(&mut scene, &thing);
        }
        Photograph { width, height, pixels: lens.expose(&scene) }
    }
}

/// A specimen alone on its layer.
fn grown(
    class: Class,
    pose: Pose,
    camouflage: Option<Tint>,
    difficulty: &Difficulty,
    (width, height): (u32, u32),
    random: &mut Random,
) -> Layer {
    let lean = if random.chance(difficulty.ambiguous) {
        random.between(difficulty.ambiguity.0, difficulty.ambiguity.1)
    } else {
        random.between(0.0, difficulty.individuality)
    };
    let traits = Traits::grow(class, lean, random);
    let own = Tint::natural(random);
    let tint = camouflage.map_or(own, |ground| own.toward(ground, 0.8));
    let mut layer = Layer::new(width, height);
    specimen::draw(&mut layer, &traits, pose, tint, random);
    layer
}

/// Landscape, portrait or square, 120 to 400 pixels.
fn size(random: &mut Random) -> (u32, u32) {
    let long = random.count(180, 400);
    let short = ((long as f32 * random.between(0.62, 1.0)) as u32).max(120);
    if random.chance(0.6) { (long, short) } else { (short, long) }
}

fn pose(width: u32, height: u32, difficulty: &Difficulty, random: &mut Random) -> Pose {
    let shorter = width.min(height) as f32;
    let small = random.chance(difficulty.small);
    let range = if small { difficulty.small_length } else { difficulty.length };
    let length = shorter * random.between(range.0, range.1);
    // The longer the specimen, the nearer to the middle, so that most of it is in the picture.
    let slack = |side: u32| ((side as f32 - length * 0.8) / 2.0).max(side as f32 * 0.06);
    let (aside, below) = (slack(width), slack(height));
    let center = [
        width as f32 / 2.0 + random.between(-aside, aside),
        height as f32 / 2.0 + random.between(-below, below),
    ];
    Pose { center, length, turns: random.unit() }
}

fn anywhere(width: u32, height: u32, random: &mut Random) -> Point {
    [random.between(0.04, 0.96) * width as f32, random.between(0.04, 0.96) * height as f32]
}
