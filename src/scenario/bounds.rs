//! The right-hand side of a condition: a value, a comparison with one, or a value with a tolerance.

use super::{
    Comparison,
    error::{At, Problem},
    raw::RawBound,
    units::parse_span,
};

/// Reads it: how to compare, with what, and the text as written.
pub(super) fn read(at: &At, bound: &RawBound) -> Result<(Comparison, f64, String), Problem> {
    match bound {
        RawBound::Integer(number) => Ok((Comparison::Equal, *number as f64, format!("= {number}"))),
        RawBound::Float(number) => Ok((Comparison::Equal, *number, format!("= {number}"))),
        RawBound::Text(text) => {
            let text = text.trim();
            let (comparison, bound) = match split_tolerance(text) {
                Some((centre, tolerance)) => within(at, text, centre.trim(), tolerance.trim())?,
                None => compared(at, text)?,
            };
            Ok((comparison, bound, text.to_owned()))
        }
    }
}

/// `"< 60s"`, `">= 100"`, `"0"`.
fn compared(at: &At, text: &str) -> Result<(Comparison, f64), Problem> {
    let (comparison, rest) = split_comparison(text);
    let value = Value::read(rest.trim()).ok_or_else(|| {
        at.problem(
            format!("\"{text}\" is no condition"),
            "write a number, or a comparison with a number or a duration: 0, \"< 60s\", \">= 100\", \"150 +- 2\"",
        )
    })?;
    Ok((comparison, value.size()))
}

/// `"150.05s +- 0.6%"`, `"150 +- 2"`, `"60s +- 500ms"`.
fn within(at: &At, text: &str, centre: &str, tolerance: &str) -> Result<(Comparison, f64), Problem> {
    const FIX: &str = "write a value and how far off it may be: \"150 +- 2\", \"60s +- 500ms\", \"150.05s +- 0.6%\"";
    let bad = |problem: String| at.problem(problem, FIX);
    let (sign, _) = split_comparison(centre);
    if sign != Comparison::Equal {
        return Err(bad(format!("\"{text}\" has both a comparison and a tolerance")));
    }
    let centre = Value::read(centre.trim_start_matches('=').trim_start());
    let centre = centre.ok_or_else(|| bad(format!("\"{text}\" has no value to be near to")))?;
    let off = match tolerance.strip_suffix('%') {
        Some(percent) => {
            let percent = number(percent.trim()).ok_or_else(|| bad(format!("\"{tolerance}\" is no share")))?;
            if centre.size() == 0.0 {
                return Err(bad(format!("{tolerance} of nothing is nothing")));
            }
            percent / 100.0 * centre.size().abs()
        }
        None => match (centre, Value::read(tolerance)) {
            (Value::Number(_), Some(Value::Number(off))) | (Value::Seconds(_), Some(Value::Seconds(off))) => off,
            (_, None) => return Err(bad(format!("\"{tolerance}\" is no tolerance"))),
            _ => return Err(bad(format!("\"{text}\" holds a number against a duration"))),
        },
    };
    if off <= 0.0 {
        return Err(bad(format!("\"{tolerance}\" leaves no room")));
    }
    Ok((Comparison::Within(off), centre.size()))
}

/// A bare number, or a duration.
#[derive(Debug, Clone, Copy)]
enum Value {
    Number(f64),
    Seconds(f64),
}

impl Value {
    fn read(text: &str) -> Option<Value> {
        let span = || parse_span(text).ok().map(|span| Value::Seconds(span.as_secs_f64()));
        number(text).map(Value::Number).or_else(span)
    }

    fn size(self) -> f64 {
        match self {
            Value::Number(size) | Value::Seconds(size) => size,
        }
    }
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn split_tolerance(text: &str) -> Option<(&str, &str)> {
    ["+-", "±"].iter().find_map(|sign| text.split_once(sign))
}

fn split_comparison(text: &str) -> (Comparison, &str) {
    // The longer signs first: "<=" starts with "<".
    const SIGNS: [(&str, Comparison); 7] = [
        ("<=", Comparison::AtMost),
        (">=", Comparison::AtLeast),
        ("!=", Comparison::NotEqual),
        ("==", Comparison::Equal),
        ("<", Comparison::Less),
        (">", Comparison::Greater),
        ("=", Comparison::Equal),
    ];
    SIGNS
        .iter()
        .find_map(|(sign, comparison)| text.strip_prefix(sign).map(|rest| (*comparison, rest)))
        .unwrap_or((Comparison::Equal, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_text(text: &str) -> Option<(Comparison, f64)> {
        let (comparison, bound, wanted) = read(&At::default(), &RawBound::Text(text.to_owned())).ok()?;
        assert_eq!(wanted, text.trim());
        Some((comparison, bound))
    }

    #[test]
    fn a_tolerance_is_a_share_or_in_the_values_own_unit() {
        assert_eq!(read_text("150 +- 2"), Some((Comparison::Within(2.0), 150.0)));
        assert_eq!(read_text("60s ± 500ms"), Some((Comparison::Within(0.5), 60.0)));
        assert_eq!(read_text("= 0.9 +- 0.1"), Some((Comparison::Within(0.1), 0.9)));
        let (comparison, bound) = read_text("150s+-1%").unwrap();
        assert!((comparison.tolerance().unwrap() - 1.5).abs() < 1e-12 && bound == 150.0);
        for bad in ["150 +- 2s", "60s +- 2", "0 +- 5%", "5 +- 0", "5 +- -1", "< 5 +- 1", "+- 1", "5 +-", "5 +- 1 +- 1"]
        {
            assert_eq!(read_text(bad), None, "{bad}");
        }
    }

    #[test]
    fn both_ends_of_a_tolerance_are_within_it() {
        let holds = |text, actual| read_text(text).is_some_and(|(comparison, bound)| comparison.holds(actual, bound));
        assert!(holds("150 +- 2", 148.0) && holds("150 +- 2", 152.0) && !holds("150 +- 2", 153.0));
        // In binary 1.1 - 1.0 is a little more than 0.1.
        assert!(holds("1.1 +- 0.1", 1.0) && holds("0.9 +- 0.1", 1.0) && !holds("0.9 +- 0.1", 1.001));
        assert!(!holds("150 +- 2", f64::NAN));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,20}") {
            let _ = read_text(&text);
        }

        #[test]
        fn what_is_near_enough_holds(centre in -1e9f64..1e9, off in 1e-6f64..1e6, at in -3.0f64..3.0) {
            let (comparison, bound) = read_text(&format!("{centre} +- {off}")).unwrap();
            prop_assume!((at.abs() - 1.0).abs() > 1e-3);
            prop_assume!(off > 1e-12 * centre.abs());
            prop_assert_eq!(comparison.holds(centre + at * off, bound), at.abs() < 1.0);
        }
    }
}
