//! Small SVG graphics. They have no inline styles, since the page's policy allows only its style sheet.

use maud::{Markup, html};

use super::format::{number, percent};
use super::texts as text;
use crate::language::Language;
use crate::reports::campaigns::DIAL_RESULTS;

/// From this ratio on, the calls of the day are running short.
const NEARLY_USED: f64 = 0.9;

const BAR_WIDTH: f64 = 100.0;
const BIN_WIDTH: usize = 14;
const BINS_HEIGHT: f64 = 36.0;
const AXIS_HEIGHT: usize = 12;

/// A ratio as a bar, coloured by `class`. A ratio above 1 fills the bar.
pub(super) fn bar(ratio: f64, class: &str, label: &str) -> Markup {
    let width = (ratio.clamp(0.0, 1.0) * BAR_WIDTH * 10.0).round() / 10.0;
    html! {
        svg.bar viewBox={ "0 0 " (BAR_WIDTH) " 8" } preserveAspectRatio="none" role="img"
            aria-label={ (label) ": " (percent(ratio)) } {
            rect.track width=(BAR_WIDTH) height="8" {}
            rect class=(class) width=(width) height="8" {}
        }
    }
}

/// The API calls used, as a bar and in numbers.
pub(super) fn quota(used: u32, limit: u32, language: Language) -> Markup {
    let ratio = f64::from(used) / f64::from(limit.max(1));
    let class = match ratio {
        1.0.. => "bad",
        NEARLY_USED.. => "wait",
        _ => "part",
    };
    html! {
        (bar(ratio, class, language.say(text::API_CALLS_USED_TODAY))) " "
        span.figure { (language.of(&number(used.into()), &number(limit.into()))) }
    }
}

/// A part of a whole.
pub(super) struct Share {
    /// The class that has its colour.
    pub(super) class: String,
    /// What it is.
    pub(super) name: &'static str,
    /// How many.
    pub(super) count: u64,
}

/// The results of a campaign.
pub(super) fn results(counts: &[Option<u64>; DIAL_RESULTS.len()], language: Language) -> Vec<Share> {
    let shares = text::DIAL_RESULTS.into_iter().zip(counts).enumerate();
    shares
        .map(|(n, (name, count))| Share {
            class: format!("result{n}"),
            name: language.say(name),
            count: count.unwrap_or_default(),
        })
        .collect()
}

/// The parts of a whole in one bar.
pub(super) fn stacked(shares: &[Share]) -> Markup {
    let sum: u64 = shares.iter().map(|share| share.count).sum();
    let width = |count: u64| (count as f64 / sum.max(1) as f64 * BAR_WIDTH * 10.0).round() / 10.0;
    let label: Vec<String> = shares
        .iter()
        .map(|share| format!("{} {}", number(share.count), share.name))
        .collect();
    let mut before = 0;
    let places = shares.iter().map(|share| {
        let begin = before;
        before += share.count;
        (begin, share)
    });
    html! {
        svg.bar viewBox={ "0 0 " (BAR_WIDTH) " 8" } preserveAspectRatio="none" role="img" aria-label=(label.join(", ")) {
            rect.track width=(BAR_WIDTH) height="8" {}
            @for (begin, share) in places.filter(|(_, share)| share.count > 0) {
                rect class=(share.class) x=(width(begin)) width=(width(share.count)) height="8" {}
            }
        }
    }
}

/// The colour of a part, for the key.
pub(super) fn swatch(class: &str) -> Markup {
    html! {
        svg.swatch viewBox="0 0 8 8" aria-hidden="true" { rect class=(class) width="8" height="8" rx="2" {} }
    }
}

/// Counts by upper bound in seconds; the last count is above the last bound.
pub(super) fn histogram(bounds: &[f64], counts: &[u64], label: &str, language: Language) -> Markup {
    let most = counts.iter().copied().max().unwrap_or_default().max(1);
    let width = counts.len() * BIN_WIDTH;
    let height = |count: u64| (count as f64 / most as f64 * BINS_HEIGHT * 10.0).round() / 10.0;
    html! {
        svg.histogram viewBox={ "0 0 " (width) " " (BINS_HEIGHT as usize + AXIS_HEIGHT) } role="img" aria-label=(label) {
            line.axis x1="0" x2=(width) y1=(BINS_HEIGHT) y2=(BINS_HEIGHT) {}
            @for (n, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                rect.bin x=(n * BIN_WIDTH + 1) y=(BINS_HEIGHT - height(*count)) width=(BIN_WIDTH - 2) height=(height(*count)) {
                    title { (bin_range(bounds, n, language)) ": " (number(*count)) }
                }
            }
            @for (n, bound) in bounds.iter().enumerate().filter(|(n, _)| n % 3 == 2) {
                text.tick x=((n + 1) * BIN_WIDTH) y=(BINS_HEIGHT as usize + AXIS_HEIGHT - 2) { (seconds(*bound)) }
            }
        }
    }
}

/// The median of the counts as their bins have it, in words.
pub(super) fn median(bounds: &[f64], counts: &[u64], language: Language) -> Option<String> {
    let sum: u64 = counts.iter().sum();
    let mut so_far = 0;
    let bin = counts.iter().position(|count| {
        so_far += count;
        so_far * 2 >= sum
    });
    bin.filter(|_| sum > 0).map(|bin| match bounds.get(bin) {
        Some(bound) => language.half_within(&seconds(*bound)),
        None => language.half_after(&seconds(bounds.last().copied().unwrap_or_default())),
    })
}

fn bin_range(bounds: &[f64], bin: usize, language: Language) -> String {
    let above = bin.checked_sub(1).and_then(|before| bounds.get(before));
    match (above, bounds.get(bin)) {
        (None, Some(bound)) => language.up_to(&seconds(*bound)),
        (Some(above), Some(bound)) => language.between(&seconds(*above), &seconds(*bound)),
        (above, None) => language.more_than(&seconds(above.copied().unwrap_or_default())),
    }
}

fn seconds(bound: f64) -> String {
    if bound >= 60.0 && bound % 60.0 == 0.0 {
        format!("{} min", bound / 60.0)
    } else {
        format!("{bound} s")
    }
}
