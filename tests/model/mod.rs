//! A file system that crashes: whatever was not synced may be lost, any part of it, or fail.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use forkpoint::disk::{Volume, VolumeFile};

/// What stands on a disk: the files of each path.
pub type World = BTreeMap<PathBuf, Vec<u8>>;

/// A file system.
#[derive(Clone, Debug, Default)]
pub struct Model(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    files: Vec<Inode>,
    /// The names that survive a crash, and what was done to names since, in order.
    names: BTreeMap<PathBuf, usize>,
    undone: Vec<Change>,
    steps: u64,
    syncs: u64,
    habits: Habits,
    /// Every disk that a crash may have left, one for each moment and each part of what was not synced that was lost.
    worlds: BTreeSet<World>,
    crashes: u64,
}

/// What is unusual about this file system.
#[derive(Clone, Debug, Default)]
pub struct Habits {
    /// Files have one name.
    pub no_links: bool,
    /// This step fails, counted from 0.
    pub fails_at: Option<u64>,
    /// All steps behind it fail too.
    pub fails_for_ever: bool,
    /// This sync does nothing, counted from 0.
    pub forgets_sync: Option<u64>,
    /// All that a crash may leave is written down.
    pub watched: bool,
}

#[derive(Debug, Default)]
struct Inode {
    synced: Vec<u8>,
    undone: Vec<Write>,
}

#[derive(Clone, Debug)]
enum Write {
    Length(u64),
    Bytes(u64, Vec<u8>),
}

#[derive(Clone, Debug)]
enum Change {
    Named(PathBuf, usize),
    Renamed(PathBuf, PathBuf, usize),
    Removed(PathBuf),
}

impl Change {
    fn folder(&self) -> &Path {
        match self {
            Change::Named(path, _) | Change::Renamed(_, path, _) | Change::Removed(path) => path.parent().unwrap(),
        }
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Change::Named(path, file) => {
                names.insert(path.clone(), *file);
            }
            Change::Renamed(from, to, file) => {
                // Another file may bear that name, if its own change is lost.
                if names.get(from) == Some(file) {
                    names.remove(from);
                }
                names.insert(to.clone(), *file);
            }
            Change::Removed(path) => {
                names.remove(path);
            }
        }
    }
}

impl Write {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Write::Length(length) => bytes.resize(*length as usize, 0),
            Write::Bytes(at, block) => {
                let (start, end) = (*at as usize, *at as usize + block.len());
                bytes.resize(bytes.len().max(end), 0);
                bytes[start..end].copy_from_slice(block);
            }
        }
    }
}

fn applied(synced: &[u8], writes: &[&Write]) -> Vec<u8> {
    let mut bytes = synced.to_vec();
    writes.iter().for_each(|write| write.apply(&mut bytes));
    bytes
}

/// Those of some things whose bits are set.
fn chosen<T>(all: &[T], bits: u64) -> Vec<&T> {
    all.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, one)| one).collect()
}

impl Inner {
    fn current(&self) -> BTreeMap<PathBuf, usize> {
        let mut names = self.names.clone();
        self.undone.iter().for_each(|change| change.apply(&mut names));
        names
    }

    fn content(&self, file: usize) -> Vec<u8> {
        let inode = &self.files[file];
        applied(&inode.synced, &inode.undone.iter().collect::<Vec<_>>())
    }

    fn find(&self, path: &Path) -> io::Result<usize> {
        self.current().get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// One step: crashes right before it, and perhaps fails.
    fn step(&mut self) -> io::Result<()> {
        self.crash();
        let (step, fails_at) = (self.steps, self.habits.fails_at);
        self.steps += 1;
        let fails = fails_at.is_some_and(|at| at == step || (at < step && self.habits.fails_for_ever));
        if fails { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    /// Whether this sync does what it should.
    fn syncs(&mut self) -> bool {
        self.syncs += 1;
        self.habits.forgets_sync != Some(self.syncs - 1)
    }

    /// Writes down all disks that a crash may leave now.
    fn crash(&mut self) {
        if !self.habits.watched {
            return;
        }
        for names_kept in 0..1 << self.undone.len() {
            let mut names = self.names.clone();
            chosen(&self.undone, names_kept).into_iter().for_each(|change| change.apply(&mut names));
            // Every way to lose writes of the files that still have a name.
            let named: BTreeSet<usize> = names.values().copied().collect();
            let mut ways: Vec<BTreeMap<usize, Vec<u8>>> = vec![BTreeMap::new()];
            for file in named {
                let inode = &self.files[file];
                let contents: BTreeSet<Vec<u8>> = (0..1 << inode.undone.len())
                    .map(|bits| applied(&inode.synced, &chosen(&inode.undone, bits)))
                    .collect();
                self.crashes += 1 << inode.undone.len();
                ways = ways
                    .iter()
                    .flat_map(|way| {
                        contents.iter().map(|content| {
                            let mut way = way.clone();
                            way.insert(file, content.clone());
                            way
                        })
                    })
                    .collect();
            }
            for way in ways {
                self.worlds.insert(names.iter().map(|(path, file)| (path.clone(), way[file].clone())).collect());
            }
        }
    }
}

impl Model {
    /// A disk on which all is safe.
    pub fn new(world: &World, habits: Habits) -> Model {
        let mut inner = Inner { habits, ..Inner::default() };
        for (path, bytes) in world {
            inner.names.insert(path.clone(), inner.files.len());
            inner.files.push(Inode { synced: bytes.clone(), undone: Vec::new() });
        }
        Model(Arc::new(Mutex::new(inner)))
    }

    /// What stands on it now, if nothing crashes.
    pub fn world(&self) -> World {
        let inner = self.0.lock().unwrap();
        inner.current().into_iter().map(|(path, file)| (path, inner.content(file))).collect()
    }

    /// All disks that a crash may have left, the last moment's too, and how many ways of losing something led there.
    pub fn crashed(&self) -> (BTreeSet<World>, u64) {
        let mut inner = self.0.lock().unwrap();
        inner.crash();
        (std::mem::take(&mut inner.worlds), inner.crashes)
    }

    /// How many steps were made, and how many of them were syncs.
    pub fn steps(&self) -> (u64, u64) {
        let inner = self.0.lock().unwrap();
        (inner.steps, inner.syncs)
    }

    fn file(&self, at: usize) -> Box<dyn VolumeFile> {
        Box::new(ModelFile { model: self.clone(), at })
    }

    fn change(&self, path: &Path, change: impl FnOnce(usize) -> Change) -> io::Result<()> {
        let mut inner = self.0.lock().unwrap();
        inner.step()?;
        let file = inner.find(path)?;
        inner.undone.push(change(file));
        Ok(())
    }
}

impl Volume for Model {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn VolumeFile>> {
        let mut inner = self.0.lock().unwrap();
        inner.step()?;
        if inner.find(path).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        inner.files.push(Inode::default());
        let file = inner.files.len() - 1;
        inner.undone.push(Change::Named(path.to_owned(), file));
        drop(inner);
        Ok(self.file(file))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn VolumeFile>> {
        let file = self.0.lock().unwrap().find(path)?;
        Ok(self.file(file))
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.0.lock().unwrap().habits.no_links {
            return Err(io::ErrorKind::Unsupported.into());
        }
        if self.0.lock().unwrap().find(to).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.change(from, |file| Change::Named(to.to_owned(), file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(from, |file| Change::Renamed(from.to_owned(), to.to_owned(), file))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.change(path, |_| Change::Removed(path.to_owned()))
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        let names = self.0.lock().unwrap().current();
        let within = names.keys().filter(|path| path.parent() == Some(folder));
        Ok(within.map(|path| path.file_name().unwrap().to_owned()).collect())
    }

    fn full_path(&self, folder: &Path) -> io::Result<PathBuf> {
        Ok(folder.to_owned())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut inner = self.0.lock().unwrap();
        inner.step()?;
        if inner.syncs() {
            let undone = std::mem::take(&mut inner.undone);
            let (done, rest): (Vec<Change>, Vec<Change>) = undone.into_iter().partition(|one| one.folder() == folder);
            done.iter().for_each(|change| change.apply(&mut inner.names));
            inner.undone = rest;
        }
        Ok(())
    }

    fn hold_folder(&self, _: &Path) -> io::Result<Box<dyn Send>> {
        Ok(Box::new(()))
    }

    fn device(&self, path: &Path) -> io::Result<u64> {
        self.0.lock().unwrap().find(path).map(|_| 1)
    }
}

#[derive(Debug)]
struct ModelFile {
    model: Model,
    at: usize,
}

impl ModelFile {
    fn write(&self, write: Write) -> io::Result<()> {
        let mut inner = self.model.0.lock().unwrap();
        inner.step()?;
        inner.files[self.at].undone.push(write);
        Ok(())
    }
}

impl VolumeFile for ModelFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.model.0.lock().unwrap().content(self.at).len() as u64)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.write(Write::Length(length))
    }

    fn read_at(&self, block: &mut [u8], at: u64) -> io::Result<()> {
        let content = self.model.0.lock().unwrap().content(self.at);
        let bytes = content.get(at as usize..at as usize + block.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        block.copy_from_slice(bytes);
        Ok(())
    }

    fn write_at(&self, block: &[u8], at: u64) -> io::Result<()> {
        self.write(Write::Bytes(at, block.to_vec()))
    }

    fn sync(&self) -> io::Result<()> {
        let mut inner = self.model.0.lock().unwrap();
        inner.step()?;
        if inner.syncs() {
            inner.files[self.at].synced = inner.content(self.at);
            inner.files[self.at].undone.clear();
        }
        Ok(())
    }

    fn identity(&self) -> io::Result<(u64, u64)> {
        Ok((1, self.at as u64))
    }

    fn hold(&self) -> bool {
        true
    }

    fn extents(&self) -> io::Result<Vec<Range<u64>>> {
        let whole = 0..self.length()?;
        Ok(vec![whole])
    }
}
