use super::{AXIS_TITLE, Canvas, Color, FigureError, Horizontal, Range, TICK, Vertical, format_with_step};

const TICK_LENGTH: f64 = 9.0;
const FRAME_WIDTH: f64 = 2.0;
const GRID_WIDTH: f64 = 1.5;

/// A mark on an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Where it is.
    pub value: f64,
    /// What stands beside it.
    pub label: String,
}

impl Tick {
    /// At most `most` ticks at round numbers.
    pub fn round(range: Range, most: usize) -> Vec<Self> {
        Self::with_step(range, range.step(most))
    }

    /// At most `most` ticks, all at whole numbers.
    pub fn whole(range: Range, most: usize) -> Vec<Self> {
        Self::with_step(range, range.step(most).max(1.0))
    }

    fn with_step(range: Range, step: f64) -> Vec<Self> {
        let tick = |value| Self { value, label: format_with_step(value, step) };
        range.multiples(step).into_iter().map(tick).collect()
    }
}

/// A frame on the canvas and the values along its sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axes {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
    across: Range,
    up: Range,
}

impl Axes {
    /// Room that titles and ticks take to the left of the frame.
    pub const LEFT_MARGIN: f64 = 150.0;
    /// Room that titles and ticks take below the frame.
    pub const BOTTOM_MARGIN: f64 = 100.0;

    /// Axes whose frame has these corners, upper left and lower right.
    pub fn new((left, top): (f64, f64), (right, bottom): (f64, f64), across: Range, up: Range) -> Self {
        Self { left, top, right, bottom, across, up }
    }

    /// The left side of the frame.
    pub fn left(&self) -> f64 {
        self.left
    }

    /// The upper side of the frame.
    pub fn top(&self) -> f64 {
        self.top
    }

    /// The right side of the frame.
    pub fn right(&self) -> f64 {
        self.right
    }

    /// The lower side of the frame.
    pub fn bottom(&self) -> f64 {
        self.bottom
    }

    /// Where a value of the horizontal axis lies.
    pub fn x(&self, value: f64) -> f64 {
        self.left + self.across.position(value) * (self.right - self.left)
    }

    /// Where a value of the vertical axis lies.
    pub fn y(&self, value: f64) -> f64 {
        self.bottom - self.up.position(value) * (self.bottom - self.top)
    }

    /// Where a pair of values lies.
    pub fn point(&self, (across, up): (f64, f64)) -> (f64, f64) {
        (self.x(across), self.y(up))
    }

    /// Draws the grid, the frame, the ticks and both titles.
    pub fn draw(
        &self,
        canvas: &mut Canvas<'_>,
        (across_title, up_title): (&str, &str),
        (across, up): (&[Tick], &[Tick]),
    ) -> Result<(), FigureError> {
        for tick in across {
            let x = self.x(tick.value);
            canvas.line(&[(x, self.top), (x, self.bottom)], GRID_WIDTH, Color::LIGHT_GREY)?;
            canvas.line(
                &[(x, self.bottom), (x, self.bottom + TICK_LENGTH)],
                FRAME_WIDTH,
                Color::DARK_GREY,
            )?;
            let below = TICK.placed(Horizontal::Center, Vertical::Top);
            canvas.text(&tick.label, below, (x, self.bottom + TICK_LENGTH + 9.0))?;
        }
        for tick in up {
            let y = self.y(tick.value);
            canvas.line(&[(self.left, y), (self.right, y)], GRID_WIDTH, Color::LIGHT_GREY)?;
            canvas.line(&[(self.left - TICK_LENGTH, y), (self.left, y)], FRAME_WIDTH, Color::DARK_GREY)?;
            let beside = TICK.placed(Horizontal::Right, Vertical::Middle);
            canvas.text(&tick.label, beside, (self.left - TICK_LENGTH - 8.0, y))?;
        }
        self.draw_frame(canvas)?;
        let (middle_x, middle_y) = (self.left.midpoint(self.right), self.top.midpoint(self.bottom));
        let below = AXIS_TITLE.placed(Horizontal::Center, Vertical::Bottom);
        canvas.text(across_title, below, (middle_x, self.bottom + Self::BOTTOM_MARGIN - 22.0))?;
        let beside = AXIS_TITLE.upwards().placed(Horizontal::Center, Vertical::Top);
        canvas.text(up_title, beside, (self.left - Self::LEFT_MARGIN + 20.0, middle_y))
    }

    /// Draws the four sides of the frame.
    pub fn draw_frame(&self, canvas: &mut Canvas<'_>) -> Result<(), FigureError> {
        let corners = [
            (self.left, self.top),
            (self.right, self.top),
            (self.right, self.bottom),
            (self.left, self.bottom),
            (self.left, self.top),
        ];
        canvas.line(&corners, FRAME_WIDTH, Color::DARK_GREY)
    }
}
