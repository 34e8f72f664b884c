//! Random spellings: one value, many texts that mean it.

/// A small seeded generator (splitmix64), so that a seed says everything.
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Rng {
        Rng(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5851_F42D_4C95_7F2D)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            let other = self.below(at + 1);
            items.swap(at, other);
        }
    }
}

/// A value to be written.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    Int(i128),
    /// Written as it stands: literals, tokens, odd numbers, nonsense.
    Raw(String),
    Text(String),
    List(Vec<Shape>),
    Map(Vec<(String, Shape)>),
}

impl Shape {
    pub fn text(text: &str) -> Shape {
        Shape::Text(text.to_owned())
    }

    pub fn raw(text: &str) -> Shape {
        Shape::Raw(text.to_owned())
    }

    pub fn map(members: &[(&str, Shape)]) -> Shape {
        Shape::Map(members.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
    }

    /// The members, where this is a map.
    pub fn members(&mut self) -> Option<&mut Vec<(String, Shape)>> {
        match self {
            Shape::Map(members) => Some(members),
            _ => None,
        }
    }
}

/// How freely values are spelled; in percent of the places where a freedom exists.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    pub order: usize,
    pub spaces: usize,
    pub escapes: usize,
    pub numbers: usize,
    pub twice: usize,
}

impl Style {
    pub const PLAIN: Style = Style { order: 0, spaces: 0, escapes: 0, numbers: 0, twice: 0 };

    pub fn random(rng: &mut Rng) -> Style {
        let mut some = |most: usize| if rng.chance(60) { 0 } else { rng.below(most) };
        Style { order: some(80), spaces: some(40), escapes: some(20), numbers: some(60), twice: some(15) }
    }
}

/// Writes a value in some spelling of it.
pub fn spell(shape: &Shape, style: Style, rng: &mut Rng, out: &mut String) {
    match shape {
        Shape::Int(n) => number(*n, style, rng, out),
        Shape::Raw(text) => out.push_str(text),
        Shape::Text(text) => string(text, style, rng, out),
        Shape::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                blank(style, rng, out);
                spell(item, style, rng, out);
                blank(style, rng, out);
            }
            out.push(']');
        }
        Shape::Map(members) => {
            let mut members: Vec<_> = members.iter().collect();
            if rng.chance(style.order) {
                rng.shuffle(&mut members);
            }
            out.push('{');
            for (at, (key, value)) in members.into_iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                if rng.chance(style.twice) {
                    member(key, &Shape::Raw("[0]".into()), style, rng, out);
                    out.push(',');
                }
                member(key, value, style, rng, out);
            }
            out.push('}');
        }
    }
}

/// One key with its value.
pub fn member(key: &str, value: &Shape, style: Style, rng: &mut Rng, out: &mut String) {
    blank(style, rng, out);
    string(key, style, rng, out);
    blank(style, rng, out);
    out.push(':');
    blank(style, rng, out);
    spell(value, style, rng, out);
    blank(style, rng, out);
}

pub fn blank(style: Style, rng: &mut Rng, out: &mut String) {
    if rng.chance(style.spaces) {
        out.push_str(rng.pick(&[" ", "  ", "\t", "\r", " \t "]));
    }
}

fn number(n: i128, style: Style, rng: &mut Rng, out: &mut String) {
    let plain = n.to_string();
    if !rng.chance(style.numbers) {
        out.push_str(&plain);
        return;
    }
    if n == 0 {
        out.push_str(rng.pick(&["-0", "0.0", "0e9", "0.00E-3"]));
        return;
    }
    match rng.below(5) {
        0 => out.push_str(&format!("{plain}.0")),
        1 => out.push_str(&format!("{plain}e0")),
        2 => out.push_str(&format!("{plain}0e-1")),
        3 => out.push_str(&format!("{plain}.000E+0")),
        4 if n % 100 == 0 => out.push_str(&format!("{}e2", n / 100)),
        _ => out.push_str(&format!("{plain}00E-02")),
    }
}

fn string(text: &str, style: Style, rng: &mut Rng, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' if rng.chance(50) => out.push_str("\\n"),
            _ if c < ' ' || rng.chance(style.escapes) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let upper = rng.chance(50);
                    out.push_str(&if upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") });
                }
            }
            '/' if rng.chance(style.escapes) => out.push_str("\\/"),
            _ => out.push(c),
        }
    }
    out.push('"');
}
