//! Figures as SVG: panels with axes and units, lines, stacked bands and marks, and the legend beside or above them.

use std::error::Error;
use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
pub type Drawn = Result<(), Box<dyn Error>>;

/// Units of the drawing in one pixel: coordinates are whole, and a whole pixel is too coarse for a smooth curve.
const UNITS: i32 = 8;

/// An SVG of this size in pixels.
pub fn svg(
    (width, height): (u32, u32),
    draw: impl FnOnce(&Area<'_>) -> Drawn,
) -> Result<String, Box<dyn Error>> {
    let mut svg = String::new();
    let units = (size(width), size(height));
    {
        let area = SVGBackend::with_string(&mut svg, units).into_drawing_area();
        area.fill(&WHITE)?;
        draw(&area)?;
        area.present()?;
    }
    // The view box stays in units.
    let in_units = format!("width=\"{}\" height=\"{}\"", units.0, units.1);
    Ok(svg.replacen(&in_units, &format!("width=\"{width}\" height=\"{height}\""), 1))
}

const FONT: &str = "sans-serif";
const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
const GRID: RGBColor = RGBColor(0xE4, 0xE4, 0xE4);

/// Of a shaded part.
pub const SHADE: RGBColor = RGBColor(0xF2, 0xF2, 0xF2);

/// What the paper reports.
pub const REPORTED: RGBColor = RGBColor(0xD5, 0x5E, 0x00);

/// Colours that stay apart for colour-blind eyes (Okabe and Ito).
pub const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xB2);
pub const ORANGE: RGBColor = RGBColor(0xE6, 0x9F, 0x00);
pub const GREEN: RGBColor = RGBColor(0x00, 0x9E, 0x73);
pub const SKY: RGBColor = RGBColor(0x56, 0xB4, 0xE9);
pub const PURPLE: RGBColor = RGBColor(0xCC, 0x79, 0xA7);
pub const GREY: RGBColor = RGBColor(0xB8, 0xB8, 0xB8);

/// Pixels in units of the drawing.
pub const fn pixels(count: i32) -> i32 {
    count * UNITS
}

/// The same where plotters wants no sign.
const fn size(count: u32) -> u32 {
    count * UNITS as u32
}

fn font(height: u32) -> TextStyle<'static> {
    (FONT, size(height)).into_font().color(&INK)
}

pub struct Axis {
    pub label: &'static str,
    pub range: Range<f64>,
}

impl Axis {
    /// With as many decimals as keep the labels apart.
    fn labels(&self) -> impl Fn(&f64) -> String + use<> {
        let decimals = if self.range.end - self.range.start < 4.0 { 1 } else { 0 };
        move |value| format!("{value:.decimals$}")
    }
}

/// A curve.
pub struct Line {
    pub name: String,
    pub colour: RGBColor,
    pub stroke: Stroke,
    pub points: Vec<(f64, f64)>,
}

#[derive(Clone, Copy)]
pub enum Stroke {
    Solid,
    Dashed,
    Dotted,
}

/// A point of a curve, singled out by a ring if need be.
#[allow(dead_code, reason = "not every example needs it")]
pub struct Dot {
    pub at: (f64, f64),
    pub colour: RGBColor,
    pub ring: bool,
}

/// One layer of a stack, its height at each x of the panel.
pub struct Band {
    pub name: String,
    pub colour: RGBColor,
    pub heights: Vec<f64>,
}

/// Something that the paper reports, with a text so many pixels to the right and below it.
pub struct Mark {
    x: f64,
    y: Reported,
    text: String,
    offset: (i32, i32),
}

#[derive(Clone, Copy)]
pub enum Reported {
    Value(f64),
    Range(f64, f64),
}

impl Mark {
    pub fn value(x: f64, y: f64, text: impl Into<String>, offset: (i32, i32)) -> Self {
        Self { x, y: Reported::Value(y), text: text.into(), offset }
    }

    pub fn range(x: f64, y: Range<f64>, text: impl Into<String>, offset: (i32, i32)) -> Self {
        Self { x, y: Reported::Range(y.start, y.end), text: text.into(), offset }
    }
}

pub struct Panel {
    title: String,
    x: Axis,
    y: Axis,
    lines: Vec<Line>,
    dots: Vec<Dot>,
    stack: Stack,
    marks: Vec<Mark>,
    shades: Vec<Range<f64>>,
    /// What stands at an x, if it is not the number itself.
    x_labels: Option<Box<dyn Fn(f64) -> String>>,
}

/// Layers that fill the panel.
#[derive(Default)]
pub struct Stack {
    /// The x at which the bands have their heights.
    pub stations: Vec<f64>,
    /// From the bottom up.
    pub bands: Vec<Band>,
}

impl Panel {
    pub fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        Self {
            title: title.into(),
            x,
            y,
            lines: Vec::new(),
            dots: Vec::new(),
            stack: Stack::default(),
            marks: Vec::new(),
            shades: Vec::new(),
            x_labels: None,
        }
    }

    pub fn with_lines(self, lines: Vec<Line>) -> Self {
        Self { lines, ..self }
    }

    #[allow(dead_code, reason = "not every example needs it")]
    pub fn with_dots(self, dots: Vec<Dot>) -> Self {
        Self { dots, ..self }
    }

    /// Parts of the x axis behind which the panel is grey.
    #[allow(dead_code, reason = "not every example needs it")]
    pub fn with_shades(self, shades: Vec<Range<f64>>) -> Self {
        Self { shades, ..self }
    }

    /// With other labels along the x axis, such as those of a logarithmic one.
    #[allow(dead_code, reason = "not every example needs it")]
    pub fn with_x_labels(self, x_labels: impl Fn(f64) -> String + 'static) -> Self {
        Self { x_labels: Some(Box::new(x_labels)), ..self }
    }

    pub fn with_stack(self, stack: Stack) -> Self {
        Self { stack, ..self }
    }

    pub fn with_marks(self, marks: Vec<Mark>) -> Self {
        Self { marks, ..self }
    }

    /// What the legend has to explain; layers from the top down, as they lie.
    pub fn keys(&self) -> Vec<Key> {
        let lines = self.lines.iter().map(|line| Key::Line(line.name.clone(), line.colour, line.stroke));
        let bands = self.stack.bands.iter().rev().map(|band| Key::Band(band.name.clone(), band.colour));
        let marks = self.marks.first().map(|mark| Key::Reported(mark.y));
        lines.chain(bands).chain(marks).collect()
    }

    pub fn draw(&self, area: &Area<'_>) -> Drawn {
        let mut chart = ChartBuilder::on(area)
            .margin(size(8))
            .margin_right(size(16))
            .margin_top(size(34))
            .x_label_area_size(size(44))
            .y_label_area_size(size(54))
            .build_cartesian_2d(self.x.range.clone(), self.y.range.clone())?;
        let shades = self.shades.iter().map(|shade| {
            Rectangle::new([(shade.start, self.y.range.start), (shade.end, self.y.range.end)], SHADE.filled())
        });
        chart.draw_series(shades)?;
        let numbers = self.x.labels();
        let x_labels = |x: &f64| self.x_labels.as_ref().map_or_else(|| numbers(x), |labels| labels(*x));
        chart
            .configure_mesh()
            .x_desc(self.x.label)
            .y_desc(self.y.label)
            .x_labels(9)
            .y_labels(7)
            .x_label_formatter(&x_labels)
            .y_label_formatter(&self.y.labels())
            .max_light_lines(0)
            .bold_line_style(GRID.stroke_width(size(1)))
            .axis_style(INK.stroke_width(size(1)))
            .set_all_tick_mark_size(size(5))
            .label_style(font(13))
            .axis_desc_style(font(14))
            .draw()?;
        self.draw_title(&chart, area)?;
        self.draw_bands(&mut chart)?;
        for line in &self.lines {
            draw_line(&mut chart, line)?;
        }
        let dots = self.dots.iter().map(|dot| Circle::new(dot.at, size(3), dot.colour.filled()));
        chart.draw_series(dots)?;
        let rings = self.dots.iter().filter(|dot| dot.ring);
        chart.draw_series(rings.map(|dot| Circle::new(dot.at, RING, dot.colour.stroke_width(size(2)))))?;
        for mark in &self.marks {
            draw_mark(&mut chart, mark)?;
        }
        Ok(())
    }

    /// In the middle above the axes.
    fn draw_title(&self, chart: &Chart<'_, '_>, area: &Area<'_>) -> Drawn {
        let across = chart.plotting_area().get_pixel_range().0;
        let left = area.get_pixel_range().0.start;
        let middle = ((across.start + across.end) / 2 - left, pixels(20));
        let style = font(15).pos(Pos::new(HPos::Center, VPos::Center));
        area.draw(&Text::new(self.title.clone(), middle, style))?;
        Ok(())
    }

    fn draw_bands(&self, chart: &mut Chart<'_, '_>) -> Drawn {
        let mut floor = vec![0.0; self.stack.stations.len()];
        for band in &self.stack.bands {
            let ceiling: Vec<f64> =
                floor.iter().zip(&band.heights).map(|(floor, height)| floor + height).collect();
            let upper = self.stack.stations.iter().copied().zip(ceiling.iter().copied());
            let lower = self.stack.stations.iter().copied().zip(floor.iter().copied());
            let outline: Vec<(f64, f64)> = upper.clone().chain(lower.rev()).collect();
            chart.draw_series([Polygon::new(outline, band.colour.filled())])?;
            chart.draw_series([PathElement::new(upper.collect::<Vec<_>>(), WHITE.stroke_width(size(1)))])?;
            floor = ceiling;
        }
        Ok(())
    }
}

fn draw_line(chart: &mut Chart<'_, '_>, line: &Line) -> Drawn {
    let style = line.colour.stroke_width(size(2));
    let points = line.points.iter().copied();
    match line.stroke {
        Stroke::Solid => chart.draw_series(LineSeries::new(points, style))?,
        Stroke::Dashed => chart.draw_series(DashedLineSeries::new(points, size(8), size(4), style))?,
        Stroke::Dotted => chart.draw_series(DashedLineSeries::new(points, size(2), size(4), style))?,
    };
    Ok(())
}

fn draw_mark(chart: &mut Chart<'_, '_>, mark: &Mark) -> Drawn {
    let style = REPORTED.stroke_width(size(2));
    let anchor = Pos::new(if mark.offset.0 < 0 { HPos::Right } else { HPos::Left }, VPos::Center);
    let offset = (pixels(mark.offset.0), pixels(mark.offset.1));
    let text = Text::new(mark.text.clone(), offset, font(12).pos(anchor));
    match mark.y {
        Reported::Value(y) => {
            let inside = Polygon::new(DIAMOND, WHITE.filled());
            let outline = PathElement::new(DIAMOND, style);
            chart.draw_series([EmptyElement::at((mark.x, y)) + inside + outline + text])?;
        }
        Reported::Range(low, high) => {
            chart.draw_series([PathElement::new([(mark.x, low), (mark.x, high)], style)])?;
            for end in [low, high] {
                chart.draw_series([EmptyElement::at((mark.x, end)) + PathElement::new(CAP, style)])?;
            }
            chart.draw_series([EmptyElement::at((mark.x, (low + high) / 2.0)) + text])?;
        }
    }
    Ok(())
}

/// The outline of a value, from its middle; closed.
const DIAMOND: [(i32, i32); 5] =
    [(0, pixels(-5)), (pixels(5), 0), (0, pixels(5)), (pixels(-5), 0), (0, pixels(-5))];

/// The end of a range.
const CAP: [(i32, i32); 2] = [(pixels(-5), 0), (pixels(5), 0)];

/// The radius of a ring.
const RING: u32 = size(7);

/// An entry of a legend.
pub enum Key {
    Line(String, RGBColor, Stroke),
    #[allow(dead_code, reason = "not every example needs it")]
    Ring(String, RGBColor),
    #[allow(dead_code, reason = "not every example needs it")]
    Dot(String, RGBColor),
    Band(String, RGBColor),
    /// Shaped like this one.
    Reported(Reported),
}

impl Key {
    fn text(&self) -> &str {
        match self {
            Self::Line(text, ..) | Self::Ring(text, _) | Self::Dot(text, _) | Self::Band(text, _) => text,
            Self::Reported(_) => "reported in the paper",
        }
    }

    /// Draws the entry with its left end at `(x, y)`, in pixels.
    fn draw(&self, area: &Area<'_>, (x, y): (i32, i32)) -> Drawn {
        let at = |right, down| (pixels(x + right), pixels(y + down));
        match self {
            Self::Line(_, colour, stroke) => {
                let dashes: &[(i32, i32)] = match stroke {
                    Stroke::Solid => &[(0, 26)],
                    Stroke::Dashed => &[(0, 8), (12, 20), (24, 28)],
                    Stroke::Dotted => &[(0, 2), (6, 8), (12, 14), (18, 20), (24, 26)],
                };
                for &(from, to) in dashes {
                    let style = colour.stroke_width(size(2));
                    area.draw(&PathElement::new([at(from, 0), at(to, 0)], style))?;
                }
            }
            Self::Ring(_, colour) => {
                area.draw(&Circle::new(at(17, 0), RING, colour.stroke_width(size(2))))?
            }
            Self::Dot(_, colour) => area.draw(&Circle::new(at(17, 0), size(3), colour.filled()))?,
            Self::Band(_, colour) => area.draw(&Rectangle::new([at(8, -6), at(26, 6)], colour.filled()))?,
            Self::Reported(Reported::Value(_)) => {
                let inside = Polygon::new(DIAMOND, WHITE.filled());
                let outline = PathElement::new(DIAMOND, REPORTED.stroke_width(size(2)));
                area.draw(&(EmptyElement::at(at(18, 0)) + inside + outline))?;
            }
            Self::Reported(Reported::Range(..)) => {
                let style = REPORTED.stroke_width(size(2));
                for path in [[at(18, -7), at(18, 7)], [at(13, -7), at(23, -7)], [at(13, 7), at(23, 7)]] {
                    area.draw(&PathElement::new(path, style))?;
                }
            }
        }
        let style = font(13).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(self.text().to_owned(), at(34, 0), style))?;
        Ok(())
    }
}

/// The keys in a row.
pub fn legend_across(area: &Area<'_>, keys: &[Key]) -> Drawn {
    let mut x = 62;
    for key in keys {
        key.draw(area, (x, 18))?;
        // Seven pixels are about the width of a letter.
        x += 34 + 7 * key.text().chars().count() as i32 + 24;
    }
    Ok(())
}

/// The keys one below the other.
pub fn legend_down(area: &Area<'_>, keys: &[Key]) -> Drawn {
    for (key, y) in keys.iter().zip((50..).step_by(20)) {
        key.draw(area, (4, y))?;
    }
    Ok(())
}
