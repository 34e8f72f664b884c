//! The few colours a report uses, as SGR codes: the library must not need a terminal crate.

use super::verdict::Verdict;
use super::visible::wrapped;

/// What a piece of text means; the colour follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Bold,
    Dim,
    Reference,
    Candidate,
    /// The differing part of a value of the reference.
    ReferenceMark,
    CandidateMark,
    Good,
    Bad,
    Warn,
    /// A command to copy.
    Command,
}

impl Style {
    /// How an answer is painted.
    pub(crate) fn of(verdict: Verdict) -> Style {
        match verdict {
            Verdict::Identical => Style::Good,
            Verdict::Inconclusive => Style::Warn,
            Verdict::Diverged | Verdict::Trouble => Style::Bad,
        }
    }

    fn code(self) -> &'static str {
        match self {
            Style::Plain => "",
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Reference => "31",
            Style::Candidate => "32",
            Style::ReferenceMark => "1;4;31",
            Style::CandidateMark => "1;4;32",
            Style::Good => "1;32",
            Style::Bad => "1;31",
            Style::Warn => "1;33",
            Style::Command => "36",
        }
    }
}

/// A page being written. Trailing blanks never reach it.
#[derive(Debug)]
pub(crate) struct Page {
    out: String,
    colour: bool,
    /// Blanks held back until something visible follows them.
    blanks: usize,
}

impl Page {
    pub(crate) fn new(colour: bool) -> Page {
        Page { out: String::new(), colour, blanks: 0 }
    }

    pub(crate) fn colour(&self) -> bool {
        self.colour
    }

    /// Appends a piece of a line.
    pub(crate) fn put(&mut self, style: Style, text: &str) -> &mut Page {
        let body = text.trim_end_matches(' ');
        if body.is_empty() {
            self.blanks += text.len();
            return self;
        }
        self.out.extend(std::iter::repeat_n(' ', self.blanks));
        self.blanks = text.len() - body.len();
        if self.colour && style != Style::Plain {
            self.out.push_str("\x1b[");
            self.out.push_str(style.code());
            self.out.push('m');
            self.out.push_str(body);
            self.out.push_str("\x1b[0m");
        } else {
            self.out.push_str(body);
        }
        self
    }

    /// Ends the line.
    pub(crate) fn end(&mut self) {
        self.blanks = 0;
        self.out.push('\n');
    }

    /// A whole line.
    pub(crate) fn line(&mut self, style: Style, text: &str) {
        self.put(style, text).end();
    }

    /// An empty line, unless the page just had one.
    pub(crate) fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// The answer in a word and the lines of a sentence, of which all but the first have a style of their own.
    pub(crate) fn headline(&mut self, style: Style, word: &str, lines: &[String], rest: Style) {
        for (at, line) in lines.iter().enumerate() {
            match at {
                0 => self.put(style, word).put(style, ": ").put(Style::Bold, line).end(),
                _ => self.put(Style::Plain, &" ".repeat(word.len() + 2)).put(rest, line).end(),
            }
        }
    }

    /// The answer in a word and a sentence, wrapped, and an empty line.
    pub(crate) fn answer(&mut self, width: usize, style: Style, word: &str, sentence: &str) {
        self.headline(style, word, &wrapped(sentence, width - word.len() - 2), Style::Bold);
        self.gap();
    }

    pub(crate) fn finish(self) -> String {
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_at_line_ends_vanish_and_colours_close() {
        let mut page = Page::new(true);
        page.put(Style::Bad, "x  ").put(Style::Plain, "  ").end();
        page.put(Style::Plain, "  ").put(Style::Dim, "y").end();
        page.gap();
        page.gap();
        assert_eq!(page.finish(), "\x1b[1;31mx\x1b[0m\n  \x1b[2my\x1b[0m\n\n");
    }
}
