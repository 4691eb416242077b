//! Numbers as a drawing within the page.
//!
//! The lines are told apart by their dashes and by their names at their ends, so that a copy in black and white says the
//! same. The numbers themselves stand in the table under the drawing, which is what a screen reader reads.

use std::ops::Range;

use maud::{Markup, PreEscaped, html};
use plotters::prelude::*;

use super::super::sheet::{Chart, Drawing, number};

const WIDTH: u32 = 720;
const HEIGHT: u32 = 300;
const MOST_NAMES: usize = 12;
const NAME_HEIGHT: i32 = 14;
const SPACE: &str = " xmlns=\"http://www.w3.org/2000/svg\"";

/// The drawing with its numbers.
pub(super) fn figure(chart: &Chart) -> Markup {
    html! {
        figure {
            figcaption { (chart.title) }
            @if let Some(drawing) = drawing(chart) {
                div.drawing role="img" aria-label={ (chart.title) ": the numbers stand in the table below" } {
                    (PreEscaped(drawing))
                }
            }
            div.wide role="region" tabindex="0" aria-label={ (chart.title) ", in numbers" } {
                table.numbers {
                    caption { "The numbers: " (chart.unit) }
                    thead { tr {
                        th scope="col" { (chart.along_is) }
                        @for (name, _) in &chart.series { th scope="col" { (name) } }
                    } }
                    tbody { @for (at, along) in chart.along.iter().enumerate() { tr {
                        th scope="row" { (along) }
                        @for (_, values) in &chart.series {
                            td { @match values.get(at).copied().flatten() {
                                Some(value) => (number(value)),
                                None => "—",
                            } }
                        }
                    } } }
                }
            }
        }
    }
}

/// The drawing; nothing where there is nothing to draw or it cannot be drawn: the table says it all.
fn drawing(chart: &Chart) -> Option<String> {
    let values = chart.series.iter().flat_map(|(_, values)| values).filter_map(|value| *value);
    let most = values.filter(|value| value.is_finite()).fold(0.0_f64, f64::max);
    let least = match chart.drawing {
        Drawing::Lines => 2,
        Drawing::Bars => 1,
    };
    if chart.along.len() < least || most <= 0.0 {
        return None;
    }
    let mut text = String::new();
    match chart.drawing {
        Drawing::Lines => draw(chart, most, &mut text).ok()?,
        Drawing::Bars => bars(chart, most, &mut text).ok()?,
    }
    // Within a page the drawing needs no name of its space, and a page names no address.
    Some(text.replace(SPACE, ""))
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

fn draw(chart: &Chart, most: f64, text: &mut String) -> Drawn {
    let along: Range<i32> = 0..i32::try_from(chart.along.len().saturating_sub(1))?;
    let area = SVGBackend::with_string(text, (WIDTH, HEIGHT)).into_drawing_area();
    let mut plot = ChartBuilder::on(&area)
        .margin(12)
        .margin_right(150)
        .x_label_area_size(32)
        .y_label_area_size(52)
        .build_cartesian_2d(along, 0.0..most * 1.08)?;
    let name = |at: &i32| -> String {
        usize::try_from(*at).ok().and_then(|at| chart.along.get(at)).cloned().unwrap_or_default()
    };
    plot.configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.15))
        .x_labels(chart.along.len().min(MOST_NAMES))
        .x_label_formatter(&name)
        .y_label_formatter(&|value: &f64| number(*value))
        .y_desc(chart.unit)
        .label_style(("sans-serif", 13))
        .draw()?;
    let mut names: Vec<((i32, i32), &str)> = Vec::new();
    for (at, (name, values)) in chart.series.iter().enumerate() {
        let points: Vec<(i32, f64)> =
            (0..).zip(values).filter_map(|(at, value)| Some((at, (*value)?))).collect();
        let dash = [0, 6, 2, 12].get(at % 4).copied().unwrap_or_default();
        if dash == 0 {
            plot.draw_series(LineSeries::new(points.iter().copied(), BLACK.stroke_width(2)))?;
        } else {
            plot.draw_series(DashedLineSeries::new(points.iter().copied(), dash, 5, BLACK.stroke_width(2)))?;
        }
        if let Some(end) = points.last() {
            plot.draw_series([Circle::new(*end, 3, BLACK.filled())])?;
            names.push((plot.backend_coord(end), name.as_str()));
        }
    }
    // From below: names of lines that end side by side stand one above the other.
    names.sort_by_key(|((_, down), _)| std::cmp::Reverse(*down));
    let mut free = i32::try_from(HEIGHT)?;
    for ((across, down), name) in names {
        let at = down.min(free);
        area.draw(&Text::new(name.to_owned(), (across + 8, at - 7), ("sans-serif", 13)))?;
        free = at - NAME_HEIGHT;
    }
    area.present()?;
    drop(plot);
    drop(area);
    Ok(())
}

/// Each name is as wide as a hundred; its bars share eighty of them.
const SLOT: i32 = 100;
const BARS: i32 = 80;

/// Bars are told apart by being hollow or filled, and by the names beside the first ones.
fn bars(chart: &Chart, most: f64, text: &mut String) -> Drawn {
    let names = i32::try_from(chart.along.len())?;
    let series = i32::try_from(chart.series.len().max(1))?;
    let area = SVGBackend::with_string(text, (WIDTH, HEIGHT)).into_drawing_area();
    let mut plot = ChartBuilder::on(&area)
        .margin(12)
        .x_label_area_size(32)
        .y_label_area_size(52)
        .build_cartesian_2d((0..names * SLOT).with_key_points(key_points(names)), 0.0..most * 1.25)?;
    let name = |at: &i32| -> String {
        usize::try_from(*at / SLOT).ok().and_then(|at| chart.along.get(at)).cloned().unwrap_or_default()
    };
    plot.configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.15))
        .x_label_formatter(&name)
        .y_label_formatter(&|value: &f64| number(*value))
        .y_desc(chart.unit)
        .label_style(("sans-serif", 13))
        .draw()?;
    for (at, (label, values)) in (0_i32..).zip(&chart.series) {
        let width = BARS / series;
        let style = if at % 2 == 0 { BLACK.filled() } else { BLACK.stroke_width(2) };
        for (slot, value) in (0_i32..).zip(values).filter_map(|(slot, value)| Some((slot, (*value)?))) {
            let left = slot * SLOT + (SLOT - BARS) / 2 + at * width;
            let bar = Rectangle::new([(left, 0.0), (left + width - 4, value)], style);
            plot.draw_series([bar])?;
            // One name of each is enough.
            let words = if slot == 0 { format!("{label}: {}", number(value)) } else { number(value) };
            let label = EmptyElement::at((left, value)) + Text::new(words, (0, -16), ("sans-serif", 12));
            plot.draw_series([label])?;
        }
    }
    area.present()?;
    drop(plot);
    drop(area);
    Ok(())
}

/// The middle of each name's place.
fn key_points(names: i32) -> Vec<i32> {
    (0..names).map(|name| name * SLOT + SLOT / 2).collect()
}
