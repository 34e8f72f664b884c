//! Many episodes, a line each.

use std::path::Path;

use super::super::doc::Doc;
use super::super::markdown::code;
use super::super::style::{Page, Style};
use super::super::visible::{counted, visible};
use super::EpisodeContext;
use super::grid::Grid;
use super::numbers::seconds;
use super::show::{started, subject};
use crate::episode::read::{Brief, Standing};

/// The form's name and version.
pub(crate) const SCHEMA_NAME: &str = "forkpoint.episodes/1";
/// Beginnings of ids that are told are at least so long.
const ID_MIN: usize = 10;
/// From so many columns on whole ids are told.
const WIDE: usize = 110;
/// Below so many columns there are no phases.
const NARROW: usize = 64;

/// The episodes of a folder.
pub struct EpisodeListStory<'a> {
    pub folder: &'a Path,
    /// In the order in which they are told.
    pub episodes: &'a [Brief],
    /// What lies beside them.
    pub others: &'a [String],
    pub context: &'a EpisodeContext,
}

impl EpisodeListStory<'_> {
    /// So much of each id that it is the beginning of no other.
    fn beginning(&self) -> usize {
        let ids: Vec<String> = self.episodes.iter().map(|one| one.kept.id()).collect();
        let mut sorted: Vec<&String> = ids.iter().collect();
        sorted.sort();
        let common = |one: &str, other: &str| one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
        sorted.windows(2).map(|pair| common(pair[0], pair[1]) + 1).max().unwrap_or(0).max(ID_MIN)
    }

    fn grid(&self, width: usize, id_columns: usize) -> Grid<6> {
        let mut grid = Grid::new(["id", "started", ">took", "standing", "phases", "what"]);
        for one in self.episodes {
            let meta = &one.kept.meta;
            let style = match one.kept.standing {
                Standing::Complete => Style::Good,
                Standing::Running => Style::Bold,
                Standing::Degraded | Standing::Unfinished => Style::Warn,
            };
            let began = started(meta).unwrap_or_else(|| "—".to_owned());
            let began = began.strip_suffix(" UTC").map_or(began.as_str(), |began| began);
            // Month, day, hour and minute are enough to tell them apart.
            let began = if width < NARROW { began.get(5..16).unwrap_or(began) } else { began };
            let phases = if width < NARROW { String::new() } else { visible(&one.phases.join(" ")) };
            grid.row([
                (Style::Plain, visible(&one.kept.id()).chars().take(id_columns).collect()),
                (Style::Dim, visible(began)),
                (Style::Plain, one.seconds.map_or_else(|| "—".to_owned(), seconds)),
                (style, one.kept.standing.word().to_owned()),
                (Style::Plain, phases),
                (Style::Dim, visible(&subject(meta).unwrap_or_default())),
            ]);
        }
        grid
    }

    /// What lies beside the episodes.
    pub fn note(&self) -> Option<String> {
        let count = self.others.len() as u64;
        (count > 0).then(|| {
            let names: Vec<String> = self.others.iter().take(5).map(|name| visible(name)).collect();
            let more = if self.others.len() > names.len() { ", …" } else { "" };
            format!("{} no episode: {}{more}", counted(count, "folder is", "folders are"), names.join(", "))
        })
    }
}

/// Paints episodes for a terminal.
pub fn terminal(story: &EpisodeListStory) -> String {
    let mut page = Page::new(story.context.colour);
    let width = story.context.width;
    if story.episodes.is_empty() {
        page.line(Style::Dim, &format!("no episodes in {}", visible(&story.folder.to_string_lossy())));
        return page.finish();
    }
    let ids = if width < WIDE { story.beginning() } else { usize::MAX };
    let mut grid = story.grid(width, ids);
    grid.fit(width, &[(4, 10), (5, 12), (4, 6), (5, 6)]);
    if grid.width() > width {
        grid.without(5);
    }
    grid.paint(&mut page);
    page.finish()
}

/// Paints episodes as Markdown.
pub fn markdown(story: &EpisodeListStory) -> String {
    let mut out = format!("# forkpoint: episodes in {}\n\n", code(&story.folder.to_string_lossy()));
    out.push_str(&story.grid(usize::MAX, usize::MAX).markdown());
    if let Some(note) = story.note() {
        out.push_str(&format!("\n{}\n", super::super::markdown::prose(&note)));
    }
    out
}

/// Paints episodes as JSON.
pub fn json(story: &EpisodeListStory) -> String {
    let one = |one: &Brief| {
        let meta = &one.kept.meta;
        let texts = |texts: &[String]| Doc::Array(texts.iter().map(|text| Doc::text(text)).collect());
        Doc::object([
            ("id", Doc::text(&one.kept.id())),
            ("path", Doc::text(&one.kept.path().to_string_lossy())),
            ("standing", Doc::text(one.kept.standing.word())),
            ("started_at_wall", Doc::or_null(meta.text("/started_at_wall").map(Doc::text))),
            ("duration_s", Doc::or_null(one.seconds.map(Doc::number))),
            ("phases", texts(&one.phases)),
            ("of", Doc::or_null(subject(meta).map(|subject| Doc::text(&subject)))),
            ("reasons", texts(&meta.texts("/result/reasons"))),
            ("faults", texts(&one.kept.faults)),
        ])
    };
    let doc = Doc::object([
        ("schema", Doc::text(SCHEMA_NAME)),
        ("folder", Doc::text(&story.folder.to_string_lossy())),
        ("episodes", Doc::Array(story.episodes.iter().map(one).collect())),
        ("others", Doc::Array(story.others.iter().map(|name| Doc::text(name)).collect())),
    ]);
    let mut out = String::new();
    doc.write_pretty(&mut out, 0);
    out.push('\n');
    out
}
