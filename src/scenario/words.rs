//! Words with figures in them: `conclude = "… {poll.requests / webhook.requests} times …"`.
//!
//! A placeholder names a quantity of a consumer, as a condition does, or the ratio of two. What
//! stands there in the end is the report's business; here it is only read and checked.

use super::{
    ConsumerPlan, QUANTITY_NAMES,
    conditions::is_quantity,
    error::{At, Problem},
    names::suggest,
};

/// A part of such a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Words.
    Text(&'a str),
    /// A consumer's quantity, written `consumer.quantity`.
    Figure(&'a str),
    /// How many times the second quantity goes into the first.
    Ratio(&'a str, &'a str),
}

/// A brace that is not closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unclosed;

/// The parts of a text, in order.
pub fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Unclosed> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((words, tail)) = rest.split_once('{') {
        let (inside, after) = tail.split_once('}').ok_or(Unclosed)?;
        found.extend((!words.is_empty()).then_some(Piece::Text(words)));
        found.push(match inside.split_once('/') {
            Some((above, below)) => Piece::Ratio(above.trim(), below.trim()),
            None => Piece::Figure(inside.trim()),
        });
        rest = after;
    }
    found.extend((!rest.is_empty()).then_some(Piece::Text(rest)));
    Ok(found)
}

/// Refuses placeholders that could never be filled.
pub(super) fn check(at: &At, text: &str, consumers: &[ConsumerPlan]) -> Result<(), Problem> {
    let unclosed = |Unclosed| at.problem("a { without its }", "close it: {webhook.duplicates_applied}");
    for piece in pieces(text).map_err(unclosed)? {
        match piece {
            Piece::Text(_) => {}
            Piece::Figure(figure) => check_one(at, figure, consumers)?,
            Piece::Ratio(above, below) => {
                check_one(at, above, consumers)?;
                check_one(at, below, consumers)?;
            }
        }
    }
    Ok(())
}

fn check_one(at: &At, figure: &str, consumers: &[ConsumerPlan]) -> Result<(), Problem> {
    let (name, quantity) = figure.split_once('.').unwrap_or((figure, ""));
    if !consumers.iter().any(|consumer| consumer.name == name) {
        let names: Vec<&str> = consumers.iter().map(|consumer| consumer.name.as_str()).collect();
        let fix = format!("{}; a placeholder is {{consumer.quantity}}", suggest(name, &names));
        return Err(at.problem(format!("{{{figure}}}: \"{name}\" is no consumer of this scenario"), fix));
    }
    if !is_quantity(quantity) {
        let problem = format!("{{{figure}}}: \"{quantity}\" is no quantity of a result");
        return Err(at.problem(problem, suggest(quantity, QUANTITY_NAMES)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_is_taken_apart_in_order() {
        let text = "{a.requests} beats {b.age_s.p99 / a.age_s.p99} times.";
        let expected = [
            Piece::Figure("a.requests"),
            Piece::Text(" beats "),
            Piece::Ratio("b.age_s.p99", "a.age_s.p99"),
            Piece::Text(" times."),
        ];
        assert_eq!(pieces(text).unwrap(), expected);
        assert_eq!((pieces("").unwrap(), pieces("no { end")), (vec![], Err(Unclosed)));
    }

    proptest! {
        #[test]
        fn words_without_braces_stay_as_they_are(text in "[^{]{1,80}") {
            prop_assert_eq!(pieces(&text).unwrap(), vec![Piece::Text(&text)]);
        }
    }
}
