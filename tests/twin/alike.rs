//! Scalars that a rule takes for alike: near numbers, other spellings, addresses a constant apart.

use super::equal::{hex, maskable};
use super::json::{Number, Value};
use super::rules::Class;
use std::cmp::Ordering;

/// Whether two unequal values, the reference's first, are alike.
pub fn alike(class: &Class, x: &Value, y: &Value) -> bool {
    match class {
        Class::Tolerance { absolute, relative, ulps } => match (counted(x), counted(y)) {
            (Some(x), Some(y)) => {
                absolute.as_ref().is_some_and(|bound| apart_less(x, y, columns(bound), bound.exponent).is_le())
                    || relative.as_ref().is_some_and(|part| is_within_part(x, y, part))
                    || ulps.is_some_and(|most| steps_apart(x, y).is_some_and(|steps| steps <= most))
            }
            _ => false,
        },
        Class::Unordered { .. } => false,
        Class::Spelling { hex, width, case } => {
            let meant = [x, y].map(|value| meaning(*hex, *width, *case, value));
            meant[0].is_some() && meant[0] == meant[1]
        }
        Class::Offset { by, from, to } => match (maskable(x), maskable(y)) {
            (Some((is_text, x)), Some((also_text, y))) => {
                let (x, y) = (i128::from(x), i128::from(y));
                is_text == also_text && *from <= x && x <= *to && y - x == *by
            }
            _ => false,
        },
    }
}

/// A text that all values share which are alike, or equal, at a place of this rule.
pub fn digest(class: &Class, value: &Value) -> Option<String> {
    match class {
        Class::Tolerance { .. } => counted(value).map(|_| "near,".to_owned()),
        Class::Unordered { .. } => None,
        Class::Spelling { hex, width, case } => meaning(*hex, *width, *case, value),
        Class::Offset { by, from, to } => {
            let (is_text, n) = maskable(value)?;
            let moves = |n: i128| *from <= n && n <= *to;
            (moves(n.into()) || moves(i128::from(n) - by)).then(|| format!("moved {is_text},"))
        }
    }
}

fn counted(value: &Value) -> Option<&Number> {
    match value {
        Value::Number(number) if number.far.is_none() => Some(number),
        _ => None,
    }
}

fn columns(number: &Number) -> Vec<i64> {
    number.digits.bytes().map(|digit| i64::from(digit - b'0')).collect()
}

/// How `|x - y|` compares with a bound given as columns of digits and the exponent of the last.
fn apart_less(x: &Number, y: &Number, bound: Vec<i64>, exponent: i128) -> Ordering {
    let term = |n: &Number, turned: bool| (n.negative != turned, columns(n), n.exponent);
    let turned = sign(&[term(x, false), term(y, true)]).is_lt();
    sign(&[term(x, turned), term(y, !turned), (true, bound, exponent)])
}

fn is_within_part(x: &Number, y: &Number, part: &Number) -> bool {
    let magnitude = |n: &Number, turned: bool| (turned, columns(n), n.exponent);
    let larger = if sign(&[magnitude(x, false), magnitude(y, true)]).is_lt() { y } else { x };
    let (a, b) = (columns(larger), columns(part));
    let mut product = vec![0; (a.len() + b.len()).saturating_sub(1)];
    for (i, x) in a.iter().enumerate() {
        for (j, y) in b.iter().enumerate() {
            product[i + j] += x * y;
        }
    }
    apart_less(x, y, product, larger.exponent + part.exponent).is_le()
}

/// The sign of a sum of numbers: whether each is below zero, its columns from the highest on, the power of ten of its last.
fn sign(terms: &[(bool, Vec<i64>, i128)]) -> Ordering {
    // Where numbers lie further apart than all digits are long, how far does not matter.
    let far = terms.iter().map(|term| term.1.len()).sum::<usize>() as i128 + 20;
    let mut powers: Vec<i128> = terms.iter().map(|term| term.2).collect();
    powers.sort_unstable();
    let mut squeezed = vec![(powers[0], 0i128)];
    for power in &powers[1..] {
        let (last, at) = squeezed[squeezed.len() - 1];
        squeezed.push((*power, at + (power - last).min(far)));
    }
    let height = squeezed.iter().map(|(_, at)| at).max().copied().unwrap_or(0) + 2 * far;
    let mut sum = vec![0i64; height as usize];
    for (negative, columns, power) in terms {
        let at = squeezed.iter().find(|(known, _)| known == power).expect("it was squeezed").1 as usize;
        for (n, column) in columns.iter().rev().enumerate() {
            sum[at + n] += if *negative { -column } else { *column };
        }
    }
    for at in 0..sum.len() - 1 {
        let carry = sum[at].div_euclid(10);
        sum[at] -= carry * 10;
        sum[at + 1] += carry;
    }
    match sum.iter().rev().find(|column| **column != 0) {
        None => Ordering::Equal,
        Some(top) => top.cmp(&0),
    }
}

/// Doubles from one to the other, both numbers rounded first.
fn steps_apart(x: &Number, y: &Number) -> Option<u64> {
    let double = |n: &Number| {
        let digits = if n.digits.is_empty() { "0" } else { &n.digits };
        let value: f64 = format!("{digits}e{}", n.exponent).parse().expect("a number");
        value.is_finite().then_some((n.negative, value.to_bits()))
    };
    let ((a_negative, a), (b_negative, b)) = (double(x)?, double(y)?);
    // Through zero from one sign to the other.
    Some(if a_negative == b_negative { a.abs_diff(b) } else { a.checked_add(b)? })
}

/// What a value means whatever its spelling.
fn meaning(as_hex: bool, width: Option<u32>, case: bool, value: &Value) -> Option<String> {
    let integer = match value {
        _ if !as_hex && width.is_none() => None,
        Value::Number(number) => whole(number),
        Value::Text(_) => hex(value).map(|n| (false, n)),
        _ => None,
    };
    if let Some((mut negative, mut n)) = integer {
        if let Some(width) = width {
            let (half, top) = (1u128 << (width - 1), 1u128 << width);
            // All the bits from the sign on, up to twice the width.
            let extended = (top - 1) << width | half;
            if negative && n <= half {
                (negative, n) = (false, top - n);
            } else if !negative && n >= extended && n - extended < half {
                n = half + (n - extended);
            }
        }
        let tag = if matches!(value, Value::Text(_)) && !as_hex { "hex" } else { "integer" };
        return Some(format!("{tag} {negative} {n},"));
    }
    match value {
        Value::Text(text) if case => {
            let lower: Vec<u8> =
                text.iter().map(|byte| if byte.is_ascii_uppercase() { byte + 32 } else { *byte }).collect();
            Some(format!("text {lower:?},"))
        }
        _ => None,
    }
}

/// A number as an integer of 128 bits and its sign.
fn whole(number: &Number) -> Option<(bool, u128)> {
    if number.digits.is_empty() {
        return Some((false, 0));
    }
    if number.far.is_some() || !(0..=40).contains(&number.exponent) {
        return None;
    }
    let text = format!("{}{}", number.digits, "0".repeat(number.exponent as usize));
    Some((number.negative, text.parse().ok()?))
}
