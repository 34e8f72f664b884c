//! Event lines on a terminal, with the line numbers of both logs before them.

use super::layout::{Detail, EventLine};
use super::story::Story;
use super::style::{Page, Style};
use super::terminal::side_style;
use super::visible::{clip, columns, pad_left};
use crate::source::Side;

/// Event lines with the line numbers of both logs before them.
pub(crate) struct Gutter {
    labels: [String; 2],
    /// Columns of each number.
    columns: [usize; 2],
    width: usize,
}

impl Gutter {
    pub(crate) fn new(story: &Story, detail: &Detail, width: usize) -> Gutter {
        let labels = Side::BOTH.map(|side| clip(&story.label(side), 10));
        let widest = |side: Side| {
            let at = side.index();
            let lines = detail.before.iter().map(|pair| &pair[at]).chain(&detail.here[at]).chain(&detail.after[at]);
            lines.map(|event| event.line.to_string().len()).chain([columns(&labels[at])]).max().unwrap_or(0)
        };
        Gutter { columns: Side::BOTH.map(widest), labels, width }
    }

    fn start(&self, page: &mut Page, numbers: [&str; 2], sign: &str, style: Style) {
        let numbers: [String; 2] = std::array::from_fn(|at| pad_left(numbers[at], self.columns[at]));
        page.put(Style::Plain, "  ").put(Style::Dim, &numbers[0]).put(Style::Plain, " ");
        page.put(Style::Dim, &numbers[1]).put(Style::Plain, " ").put(style, sign).put(Style::Plain, " ");
    }

    fn room(&self) -> usize {
        self.width.saturating_sub(self.columns[0] + self.columns[1] + 6)
    }

    pub(crate) fn head(&self, page: &mut Page) {
        self.start(page, [&self.labels[0], &self.labels[1]], " ", Style::Plain);
        page.end();
    }

    /// An equal pair: one line where both sides are told alike; ordinals may be shifted.
    pub(crate) fn pair(&self, page: &mut Page, pair: &[EventLine; 2]) {
        let numbers = [0, 1].map(|at: usize| pair[at].line.to_string());
        let [reference, candidate] = pair;
        // What differs may be overlooked, and behind the edge of the page: then one line tells both.
        if clip(&reference.text, self.room()) == clip(&candidate.text, self.room()) {
            self.start(page, [&numbers[0], &numbers[1]], " ", Style::Plain);
            let told = match reference.number == candidate.number {
                true => reference.told(),
                false => format!("[{} {}] {}", reference.number, candidate.number, reference.text),
            };
            page.put(Style::Plain, &clip(&told, self.room())).end();
            return;
        }
        for side in Side::BOTH {
            let own = |at: usize| if at == side.index() { numbers[at].as_str() } else { "" };
            self.start(page, [own(0), own(1)], "=", Style::Dim);
            page.put(Style::Plain, &clip(&pair[side.index()].told(), self.room())).end();
        }
    }

    pub(crate) fn one(&self, page: &mut Page, side: Side, event: &EventLine, weight: Style) {
        let number = event.line.to_string();
        let style = side_style(side);
        match side {
            Side::Reference => self.start(page, [&number, ""], "-", style),
            Side::Candidate => self.start(page, ["", &number], "+", style),
        }
        let style = if weight == Style::Bold { style } else { Style::Plain };
        page.put(style, &clip(&event.told(), self.room())).end();
    }

    pub(crate) fn end_of_lane(&self, page: &mut Page, side: Side) {
        let sign = if side == Side::Reference { "-" } else { "+" };
        self.start(page, ["", ""], sign, side_style(side));
        page.put(Style::Dim, "(end of this thread)").end();
    }
}
