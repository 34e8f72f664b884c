//! The descendants of a process.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io;
use std::path::Path;

use super::process::{self, Room, Text};
use super::procfs::{self, Stat};

/// How often all is read again because someone ended meanwhile.
const ROUNDS: u32 = 3;

/// All that descend from a process, as far as they were seen. Whoever was one stays one while it lives, whoever its parent is by then.
#[derive(Debug)]
pub struct Tree {
    root: u32,
    members: BTreeMap<u32, Member>,
    /// Processes that descend from others; only looked at where the kernel does not list children.
    others: HashSet<u32>,
    /// The kernel lists children.
    has_lists: bool,
}

#[derive(Debug)]
struct Member {
    start_time: u64,
    stat: Text,
}

/// A process and all its living descendants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// How many of them run.
    pub processes: u64,
    /// Their time on processors in clock ticks, and that of children whose end they took note of.
    pub ticks: u64,
    /// Their pages in memory; shared ones once for each.
    pub rss_pages: u64,
}

impl Tree {
    /// None is known before the first [`Tree::refresh`].
    pub fn of(root: u32) -> Tree {
        let list = process::folder(root).join("task").join(root.to_string()).join("children");
        Tree { root, members: BTreeMap::new(), others: HashSet::new(), has_lists: list.exists() }
    }

    /// Finds those that were born since.
    pub fn refresh(&mut self, room: &mut Room) {
        if self.has_lists {
            self.ask_for_children(room);
        } else {
            self.search_all(room);
        }
    }

    fn ask_for_children(&mut self, room: &mut Room) {
        let mut asked: Vec<u32> = self.members.keys().copied().collect();
        asked.push(self.root);
        while let Some(parent) = asked.pop() {
            for child in children(parent) {
                if child != self.root && !self.members.contains_key(&child) && self.admit(child, room) {
                    asked.push(child);
                }
            }
        }
    }

    /// Looks at every process that was not known before.
    fn search_all(&mut self, room: &mut Room) {
        let Ok(there) = process::numbers(Path::new("/proc")) else { return };
        let there: HashSet<u32> = there.into_iter().collect();
        self.others.retain(|pid| there.contains(pid));
        let is_new = |pid: &&u32| **pid != self.root && !self.members.contains_key(pid) && !self.others.contains(pid);
        let mut parents: HashMap<u32, u32> =
            there.iter().filter(is_new).filter_map(|pid| Some((*pid, process::look(*pid).ok()?.parent))).collect();
        loop {
            let is_ours = |parent: &u32| *parent == self.root || self.members.contains_key(parent);
            let born: Vec<u32> = parents.iter().filter(|(_, parent)| is_ours(parent)).map(|(pid, _)| *pid).collect();
            for pid in &born {
                parents.remove(pid);
                self.admit(*pid, room);
            }
            if born.is_empty() {
                break;
            }
        }
        // A parent that was born while we looked may be ours: its children are looked at again.
        let known = parents.into_iter().filter(|(_, parent)| *parent == 0 || there.contains(parent));
        self.others.extend(known.map(|(pid, _)| pid));
    }

    fn admit(&mut self, pid: u32, room: &mut Room) -> bool {
        let mut buffer = Vec::new();
        let Ok(stat) = Text::open(process::folder(pid).join("stat"), room) else { return false };
        let Ok(start_time) = stat.read(&mut buffer).and_then(process::parse).map(|stat| stat.start_time) else {
            stat.close(room);
            return false;
        };
        self.members.insert(pid, Member { start_time, stat });
        true
    }

    /// Reads all of them. Who ended meanwhile may have been counted by its parent already, or not yet: so all are read again.
    ///
    /// # Errors
    /// The process itself is gone.
    pub fn read(
        &mut self,
        buffer: &mut Vec<u8>,
        room: &mut Room,
        mut root: impl FnMut(&mut Vec<u8>) -> io::Result<Stat>,
    ) -> io::Result<(Stat, Sums)> {
        let mut round = 0;
        loop {
            round += 1;
            let own = root(buffer)?;
            let mut sums = Sums::default().with(&own);
            let mut gone = Vec::new();
            for (pid, member) in &self.members {
                match member.stat.read(buffer).and_then(process::parse) {
                    Ok(stat) if stat.start_time == member.start_time => sums = sums.with(&stat),
                    _ => gone.push(*pid),
                }
            }
            for member in gone.iter().filter_map(|pid| self.members.remove(pid)) {
                member.stat.close(room);
            }
            if gone.is_empty() || round == ROUNDS {
                return Ok((own, sums));
            }
        }
    }
}

impl Sums {
    fn with(self, stat: &Stat) -> Sums {
        let ticks = stat.user_ticks.saturating_add(stat.system_ticks).saturating_add(stat.reaped_ticks);
        Sums {
            processes: self.processes + u64::from(!process::is_over(stat)),
            ticks: self.ticks.saturating_add(ticks),
            rss_pages: self.rss_pages.saturating_add(stat.rss_pages),
        }
    }
}

/// The children of all threads of a process.
fn children(parent: u32) -> Vec<u32> {
    let tasks = process::folder(parent).join("task");
    let threads = process::numbers(&tasks).unwrap_or_default();
    let lists = threads.into_iter().filter_map(|thread| fs::read(tasks.join(thread.to_string()).join("children")).ok());
    lists.flat_map(|list| procfs::pids(&list)).collect()
}
