//! The colours of all pictures, each for a light and for a dark ground.
//!
//! A picture is drawn for a light ground, with plain attributes that every viewer understands. A
//! style sheet inside it turns each colour into its dark counterpart where the reader's screen is
//! dark; paper stays light. Colours are Okabe and Ito's, which colour-blind people can tell apart, a
//! little lighter on dark.

use plotters::style::RGBColor;

/// A colour by what it is for.
#[derive(Debug, Clone, Copy)]
struct Ink {
    light: RGBColor,
    dark: RGBColor,
}

const fn ink(light: (u8, u8, u8), dark: (u8, u8, u8)) -> Ink {
    Ink { light: RGBColor(light.0, light.1, light.2), dark: RGBColor(dark.0, dark.1, dark.2) }
}

const TABLE: [Ink; 12] = [
    ink((0xFF, 0xFF, 0xFF), (0x16, 0x18, 0x1A)),
    ink((0x22, 0x22, 0x22), (0xE8, 0xE8, 0xE8)),
    ink((0x6E, 0x6E, 0x6E), (0xA9, 0xAD, 0xB1)),
    ink((0xE1, 0xE1, 0xE1), (0x34, 0x38, 0x3C)),
    ink((0x55, 0x55, 0x55), (0x9C, 0xA1, 0xA6)),
    ink((0x00, 0x72, 0xB2), (0x3F, 0x9B, 0xDC)),
    ink((0xD5, 0x5E, 0x00), (0xF2, 0x7D, 0x2B)),
    ink((0x00, 0x9E, 0x73), (0x2B, 0xBF, 0x93)),
    ink((0xCC, 0x79, 0xA7), (0xE2, 0x97, 0xC0)),
    ink((0xE6, 0x9F, 0x00), (0xF0, 0xB4, 0x33)),
    ink((0x56, 0xB4, 0xE9), (0x8F, 0xD0, 0xF7)),
    ink((0x00, 0x00, 0x00), (0xFF, 0xFF, 0xFF)),
];

pub(super) const GROUND: RGBColor = TABLE[0].light;
pub(super) const INK: RGBColor = TABLE[1].light;
pub(super) const FAINT: RGBColor = TABLE[2].light;
pub(super) const GRID: RGBColor = TABLE[3].light;
pub(super) const FAILED: RGBColor = TABLE[4].light;
pub(super) const BLUE: RGBColor = TABLE[5].light;
pub(super) const VERMILION: RGBColor = TABLE[6].light;
const GREEN: RGBColor = TABLE[7].light;
const PURPLE: RGBColor = TABLE[8].light;
pub(super) const ORANGE: RGBColor = TABLE[9].light;
const SKY: RGBColor = TABLE[10].light;
const BLACK: RGBColor = TABLE[11].light;

/// A consumer's colour, and its dash and gap in pixels; a gap of 0 is solid.
pub(super) type Style = (RGBColor, u32, u32);

/// A dozen styles: a colour comes again with another dash.
const STYLES: [Style; 12] = [
    (BLUE, 1, 0),
    (VERMILION, 9, 4),
    (GREEN, 3, 3),
    (PURPLE, 14, 5),
    (SKY, 6, 2),
    (BLACK, 2, 5),
    (BLUE, 9, 4),
    (VERMILION, 1, 0),
    (GREEN, 14, 5),
    (PURPLE, 3, 3),
    (SKY, 1, 0),
    (BLACK, 9, 4),
];

/// The look of consumer number `i`.
pub(super) fn style(i: usize) -> Style {
    STYLES[i % STYLES.len()]
}

/// The rules that make a picture fit a dark screen. They name colours by their attributes, so that
/// one set of rules serves all pictures of a page.
pub(in crate::report) fn dark_rules() -> String {
    let hex = |RGBColor(r, g, b): RGBColor| format!("#{r:02X}{g:02X}{b:02X}");
    let rules = TABLE.iter().map(|ink| {
        let (light, dark) = (hex(ink.light), hex(ink.dark));
        format!("svg [fill=\"{light}\"]{{fill:{dark}}}svg [stroke=\"{light}\"]{{stroke:{dark}}}")
    });
    format!("@media screen and (prefers-color-scheme:dark){{{}}}", rules.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_consumer_of_a_dozen_looks_different() {
        for (i, a) in STYLES.iter().enumerate() {
            assert!(STYLES[..i].iter().all(|b| (a.0, a.1, a.2) != (b.0, b.1, b.2)), "{i}");
        }
        assert_eq!(style(12), style(0));
    }

    /// WCAG's relative luminance.
    fn luminance(RGBColor(r, g, b): RGBColor) -> f64 {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }

    fn contrast(a: RGBColor, b: RGBColor) -> f64 {
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        a.max(b) / a.min(b)
    }

    #[test]
    fn everything_but_the_grid_stands_out_from_its_ground() {
        let (light, dark) = (TABLE[0].light, TABLE[0].dark);
        for (i, ink) in TABLE.iter().enumerate().filter(|(i, _)| ![0, 3].contains(i)) {
            // Text needs 4.5; a line or a bar is seen at 2 beside its label.
            let least = if i <= 2 { 4.5 } else { 2.0 };
            assert!(contrast(ink.light, light) >= least, "{i} on light: {}", contrast(ink.light, light));
            assert!(contrast(ink.dark, dark) >= least.max(3.0), "{i} on dark: {}", contrast(ink.dark, dark));
        }
    }
}
