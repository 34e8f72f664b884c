//! Tables of a few columns, painted on a terminal or as Markdown.

use super::super::markdown::prose;
use super::super::style::{Page, Style};
use super::super::visible::{clip, columns, pad, pad_left};

/// A table: heads, and rows whose cells have a style each.
#[derive(Clone, Debug)]
pub(super) struct Grid<const N: usize> {
    heads: [&'static str; N],
    right: [bool; N],
    rows: Vec<[(Style, String); N]>,
}

impl<const N: usize> Grid<N> {
    /// An empty one; a head that begins with `>` is of a column of numbers.
    pub(super) fn new(heads: [&'static str; N]) -> Grid<N> {
        let right = heads.map(|head| head.starts_with('>'));
        Grid { heads: heads.map(|head| head.trim_start_matches('>')), right, rows: Vec::new() }
    }

    pub(super) fn row(&mut self, cells: [(Style, String); N]) {
        self.rows.push(cells);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A column no one needs: all its cells are empty.
    fn is_bare(&self, column: usize) -> bool {
        self.rows.iter().all(|row| row[column].1.is_empty())
    }

    fn widths(&self) -> [usize; N] {
        std::array::from_fn(|column| match self.is_bare(column) {
            true => 0,
            false => {
                let cells = self.rows.iter().map(|row| columns(&row[column].1));
                cells.max().unwrap_or(0).max(columns(self.heads[column]))
            }
        })
    }

    /// Columns it takes on a terminal.
    pub(super) fn width(&self) -> usize {
        let widths = self.widths();
        2 + widths.iter().sum::<usize>() + 2 * widths.iter().filter(|width| **width > 0).count().saturating_sub(1)
    }

    /// Cuts cells of these columns, the first of them first, each to so many columns at least, until the table fits.
    pub(super) fn fit(&mut self, width: usize, narrower: &[(usize, usize)]) {
        for (column, least) in narrower {
            let over = self.width().saturating_sub(width);
            let wide = self.widths()[*column];
            let most = wide.saturating_sub(over).max(*least);
            if over > 0 && wide > 0 {
                self.rows.iter_mut().for_each(|row| row[*column].1 = clip(&row[*column].1, most));
            }
        }
    }

    /// Takes a column out.
    pub(super) fn without(&mut self, column: usize) {
        self.rows.iter_mut().for_each(|row| row[column].1.clear());
    }

    pub(super) fn paint(&self, page: &mut Page) {
        if self.is_empty() {
            return;
        }
        let widths = self.widths();
        let heads = self.heads.map(|head| (Style::Dim, head.to_owned()));
        for row in std::iter::once(&heads).chain(&self.rows) {
            for (column, (style, cell)) in row.iter().enumerate().filter(|(column, _)| widths[*column] > 0) {
                let right = self.right[column];
                let cell = if right { pad_left(cell, widths[column]) } else { pad(cell, widths[column]) };
                page.put(Style::Plain, "  ").put(*style, &cell);
            }
            page.end();
        }
    }

    pub(super) fn markdown(&self) -> String {
        if self.is_empty() {
            return String::new();
        }
        let shown: Vec<usize> = (0..N).filter(|column| !self.is_bare(*column)).collect();
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut out = line(shown.iter().map(|column| self.heads[*column].to_owned()).collect());
        let rule = |column: &usize| if self.right[*column] { "---:" } else { "---" };
        out.push_str(&format!("|{}|\n", shown.iter().map(rule).collect::<Vec<_>>().join("|")));
        for row in &self.rows {
            out.push_str(&line(shown.iter().map(|column| prose(&row[*column].1)).collect()));
        }
        out
    }
}
