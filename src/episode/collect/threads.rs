//! What the kernel says of threads only, summed up for their process.
//!
//! `/proc/PID/schedstat`, and the switches in `/proc/PID/status`, are those of the first thread alone, which in an emulator mostly waits.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::process::{self, Room, Text};
use super::procfs::{self, Schedstat};

/// A process's threads, those that ended included.
#[derive(Debug)]
pub struct Threads {
    folder: PathBuf,
    living: BTreeMap<u32, Thread>,
    /// What the ended ones had when they were last seen.
    ended: Figures,
}

#[derive(Debug)]
struct Thread {
    schedstat: Option<Text>,
    status: Option<Text>,
    last: Figures,
}

/// How often threads gave their processor away, and how often it was taken from them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switches {
    /// They waited for something.
    pub voluntary: u64,
    /// Others had their turn.
    pub involuntary: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Figures {
    schedstat: Schedstat,
    switches: Switches,
}

impl Threads {
    /// Those of a process; none is known before the first [`Threads::refresh`].
    pub fn of(pid: u32) -> Threads {
        Threads { folder: process::folder(pid).join("task"), living: BTreeMap::new(), ended: Figures::default() }
    }

    /// Finds those that began since.
    pub fn refresh(&mut self, room: &mut Room) {
        let Ok(there) = process::numbers(&self.folder) else { return };
        for thread in there {
            self.living.entry(thread).or_insert_with(|| {
                let folder = self.folder.join(thread.to_string());
                let mut open = |name: &str| Text::open(folder.join(name), room).ok();
                Thread { schedstat: open("schedstat"), status: open("status"), last: Figures::default() }
            });
        }
    }

    /// Time on processors, time waiting for one, and turns; none where the kernel keeps no such figures.
    pub fn schedule(&mut self, buffer: &mut Vec<u8>, room: &mut Room) -> Option<Schedstat> {
        let mut is_kept = false;
        self.visit(room, |thread| {
            let Some(text) = &thread.schedstat else { return true };
            is_kept = true;
            let read = text.read(buffer).ok().and_then(procfs::schedstat);
            thread.last.schedstat = read.unwrap_or(thread.last.schedstat);
            read.is_some()
        });
        is_kept.then(|| self.sum().schedstat)
    }

    /// How often they were switched away from; none where the kernel does not say.
    pub fn switches(&mut self, buffer: &mut Vec<u8>, room: &mut Room) -> Option<Switches> {
        let mut is_kept = false;
        self.visit(room, |thread| {
            let Some(text) = &thread.status else { return true };
            let Ok(read) = text.read(buffer).map(procfs::status) else { return false };
            if let (Some(voluntary), Some(involuntary)) = (read.voluntary_switches, read.involuntary_switches) {
                is_kept = true;
                thread.last.switches = Switches { voluntary, involuntary };
            }
            true
        });
        is_kept.then(|| self.sum().switches)
    }

    /// Looks at each; of those that are gone the last figures stay.
    fn visit(&mut self, room: &mut Room, mut is_there: impl FnMut(&mut Thread) -> bool) {
        let gone: Vec<u32> =
            self.living.iter_mut().filter_map(|(id, thread)| (!is_there(thread)).then_some(*id)).collect();
        for thread in gone.iter().filter_map(|id| self.living.remove(id)) {
            self.ended = added(self.ended, thread.last);
            for text in [thread.schedstat, thread.status].into_iter().flatten() {
                text.close(room);
            }
        }
    }

    fn sum(&self) -> Figures {
        self.living.values().fold(self.ended, |sum, thread| added(sum, thread.last))
    }
}

fn added(one: Figures, other: Figures) -> Figures {
    Figures {
        schedstat: Schedstat {
            run_ns: one.schedstat.run_ns.saturating_add(other.schedstat.run_ns),
            wait_ns: one.schedstat.wait_ns.saturating_add(other.schedstat.wait_ns),
            timeslices: one.schedstat.timeslices.saturating_add(other.schedstat.timeslices),
        },
        switches: Switches {
            voluntary: one.switches.voluntary.saturating_add(other.switches.voluntary),
            involuntary: one.switches.involuntary.saturating_add(other.switches.involuntary),
        },
    }
}
