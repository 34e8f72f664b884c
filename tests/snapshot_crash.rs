//! A save may crash or fail at any step: what is left is the old pair or the new one, byte for byte.

mod model;

use std::path::{Path, PathBuf};

use forkpoint::disk::Volume;
use forkpoint::snapshot::body::Contents;
use forkpoint::snapshot::load::open;
use forkpoint::snapshot::{DirtyBitmap, SaveOptions, SaveRequest, SnapshotError, SnapshotKind, VecPageReader, save_on};
use model::{Habits, Model, World};

const PAGE: u64 = 16;
const RAM: u64 = 5 * PAGE - 3;

/// Where the two files stand.
const PLACES: [[&str; 2]; 2] = [["/d/vm.snap", "/d/vm.mem"], ["/state/vm.snap", "/memory/vm.mem"]];

/// What a pair holds.
type Pair = (String, Vec<u8>);

fn ram(seed: u8) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..RAM).map(|at| seed.wrapping_mul(31).wrapping_add(at as u8) | 1).collect();
    // A page of zeros is a hole, so that there are two writes.
    bytes[PAGE as usize..2 * PAGE as usize].fill(0);
    bytes
}

fn pair(seed: u8, kind: SnapshotKind) -> Pair {
    let mut memory = ram(seed);
    if kind == SnapshotKind::Diff {
        memory.iter_mut().enumerate().filter(|(at, _)| *at as u64 / PAGE != 3).for_each(|(_, byte)| *byte = 0);
    }
    (format!("{{\"seed\":{seed}}}"), memory)
}

fn save(volume: &dyn Volume, place: [&str; 2], seed: u8, kind: SnapshotKind) -> Result<(), SnapshotError> {
    let dirty = DirtyBitmap::new(0, RAM, PAGE).unwrap();
    dirty.set_dirty_by_index(3);
    let request = SaveRequest {
        state_path: Path::new(place[0]),
        memory_path: Path::new(place[1]),
        kind,
        state: Contents::Document(pair(seed, kind).0),
        memory: &VecPageReader::new(ram(seed)),
        ram_size: RAM,
        memory_page_size: PAGE,
        dirty: (kind == SnapshotKind::Diff).then_some(&dirty),
    };
    let saved = save_on(volume, request, SaveOptions::default()).map(drop);
    let wanted = u64::from(kind == SnapshotKind::Diff && saved.is_err() || kind == SnapshotKind::Full);
    assert_eq!(dirty.count_dirty(), wanted, "dirty bits are taken by what succeeds, and by nothing else");
    saved
}

/// The pair that stands at a place; nothing if no state does.
fn loaded(volume: &dyn Volume, place: [&str; 2]) -> Result<Option<Pair>, SnapshotError> {
    if volume.device(Path::new(place[0])).is_err() {
        return Ok(None);
    }
    let opened = open(volume, Path::new(place[0]), None)?;
    let Contents::Document(state) = opened.body.contents else { panic!("a document was saved") };
    let mut memory = vec![0; RAM as usize];
    opened.memory.file.read_at(&mut memory, 0).map_err(SnapshotError::MemoryIo)?;
    Ok(Some((state, memory)))
}

/// A scene: what stands before, and what is saved.
#[derive(Clone, Copy, Debug)]
struct Scene {
    place: [&'static str; 2],
    old: Option<SnapshotKind>,
    new: SnapshotKind,
    no_links: bool,
}

impl Scene {
    fn all() -> Vec<Scene> {
        let kinds = [
            (None, SnapshotKind::Full),
            (None, SnapshotKind::Diff),
            (Some(SnapshotKind::Full), SnapshotKind::Full),
            (Some(SnapshotKind::Diff), SnapshotKind::Diff),
        ];
        let places = PLACES.into_iter().flat_map(|place| [false, true].map(|no_links| (place, no_links)));
        places.flat_map(|(place, no_links)| kinds.map(|(old, new)| Scene { place, old, new, no_links })).collect()
    }

    fn before(&self) -> World {
        let model = Model::new(&World::new(), Habits::default());
        if let Some(kind) = self.old {
            save(&model, self.place, 1, kind).unwrap();
        }
        model.world()
    }

    fn stood(&self) -> Option<Pair> {
        self.old.map(|kind| pair(1, kind))
    }

    fn saved(&self) -> Option<Pair> {
        Some(pair(2, self.new))
    }

    fn habits(&self) -> Habits {
        Habits { no_links: self.no_links, ..Habits::default() }
    }

    fn save(&self, model: &Model) -> Result<(), SnapshotError> {
        save(model, self.place, 2, self.new)
    }

    /// What a crash left that is neither the old pair nor the new one.
    fn wrong(&self, world: &World) -> Option<String> {
        let left = Model::new(world, self.habits());
        match loaded(&left, self.place) {
            Ok(found) if found == self.stood() || found == self.saved() => None,
            other => Some(format!("{self:?} left {other:?} in {:?}", world.keys().collect::<Vec<_>>())),
        }
    }

    /// The next save puts all in order.
    fn check_next(&self, world: &World) {
        let left = Model::new(world, self.habits());
        let next = save(&left, self.place, 3, self.new);
        let has_state = world.contains_key(Path::new(self.place[0]));
        if self.new == SnapshotKind::Diff && !has_state && world.contains_key(Path::new(self.place[1])) {
            // A memory that nobody owns may be a full one.
            assert!(matches!(next, Err(SnapshotError::InvalidPath(_))), "{next:?}");
            return;
        }
        next.unwrap();
        assert_eq!(loaded(&left, self.place).unwrap(), Some(pair(3, self.new)));
        let names: Vec<PathBuf> = left.world().into_keys().collect();
        let mut wanted = self.place.map(PathBuf::from);
        wanted.sort();
        assert_eq!(names, wanted, "{self:?}");
    }
}

#[test]
fn whatever_a_crash_loses_the_old_pair_or_the_new_one_is_left() {
    let (mut worlds, mut ways, mut steps) = (0, 0, 0);
    for scene in Scene::all() {
        let model = Model::new(&scene.before(), Habits { watched: true, ..scene.habits() });
        scene.save(&model).unwrap();
        assert_eq!(loaded(&model, scene.place).unwrap(), scene.saved());
        let (found, crashes) = model.crashed();
        for world in &found {
            assert_eq!(scene.wrong(world), None);
            scene.check_next(world);
        }
        let pairs = |wanted: Option<Pair>| {
            found
                .iter()
                .filter(|world| loaded(&Model::new(world, scene.habits()), scene.place).unwrap() == wanted)
                .count()
        };
        assert!(pairs(scene.stood()) > 0 && pairs(scene.saved()) > 0, "{scene:?}: both are seen");
        (worlds, ways, steps) = (worlds + found.len(), ways + crashes, steps + model.steps().0);
    }
    println!("{} scenes, {steps} steps, {ways} ways of losing something, {worlds} different disks", Scene::all().len());
    assert!(worlds > 400, "{worlds}");
}

#[test]
fn a_second_crash_before_the_first_is_mended_loses_nothing_either() {
    for scene in Scene::all().into_iter().filter(|scene| scene.old == Some(SnapshotKind::Full)) {
        let model = Model::new(&scene.before(), Habits { watched: true, ..scene.habits() });
        scene.save(&model).unwrap();
        // Those in which the old memory has its second name are the interesting ones.
        let left: Vec<World> = model.crashed().0.into_iter().filter(|world| world.len() > 2).collect();
        assert!(!left.is_empty());
        for world in left.iter().step_by(7) {
            let before = loaded(&Model::new(world, scene.habits()), scene.place).unwrap();
            let again = Model::new(world, Habits { watched: true, ..scene.habits() });
            save(&again, scene.place, 3, scene.new).unwrap();
            for twice in again.crashed().0 {
                let found = loaded(&Model::new(&twice, scene.habits()), scene.place).unwrap();
                assert!(found == before || found == Some(pair(3, scene.new)), "{scene:?}: {found:?}");
            }
        }
    }
}

#[test]
fn every_sync_is_needed() {
    for scene in Scene::all().into_iter().filter(|scene| scene.old.is_some()) {
        let model = Model::new(&scene.before(), scene.habits());
        scene.save(&model).unwrap();
        let (_, syncs) = model.steps();
        for forgotten in 0..syncs {
            let habits = Habits { watched: true, forgets_sync: Some(forgotten), ..scene.habits() };
            let model = Model::new(&scene.before(), habits);
            scene.save(&model).unwrap();
            let wrong = model.crashed().0.iter().filter(|world| scene.wrong(world).is_some()).count();
            assert!(wrong > 0, "{scene:?}: without sync {forgotten} of {syncs} nothing is lost");
        }
    }
}

#[test]
fn whatever_step_fails_the_old_pair_stands() {
    for scene in Scene::all() {
        for fails_for_ever in [false, true] {
            let mut fails_at = 0;
            loop {
                let habits = Habits { fails_at: Some(fails_at), fails_for_ever, watched: true, ..scene.habits() };
                let model = Model::new(&scene.before(), habits);
                let saved = scene.save(&model);
                if saved.is_ok() && model.steps().0 <= fails_at {
                    break;
                }
                let found = loaded(&model, scene.place).unwrap();
                let told = format!("{scene:?}, step {fails_at}, for ever {fails_for_ever}: {saved:?}");
                // Where only what comes behind the last rename fails, the new pair stands.
                assert!(found == scene.stood() || found == scene.saved(), "{told}: {found:?}");
                if saved.is_ok() {
                    assert_eq!(found, scene.saved(), "{told}");
                }
                for world in model.crashed().0.iter().step_by(5) {
                    assert_eq!(scene.wrong(world), None, "{told}");
                }
                if !fails_for_ever {
                    scene.check_next(&model.world());
                }
                fails_at += 1;
            }
            assert!(fails_at > 8, "{scene:?}: {fails_at}");
        }
    }
}

#[test]
fn whatever_step_fails_behind_a_crash_what_was_found_before_is_found_still() {
    let mut tried = 0;
    for scene in Scene::all() {
        let model = Model::new(&scene.before(), Habits { watched: true, ..scene.habits() });
        scene.save(&model).unwrap();
        // Those in which more stands than a pair: temporaries, the old memory's second name.
        let left: Vec<World> = model.crashed().0.into_iter().filter(|world| world.len() > 2).collect();
        for world in left.iter().step_by(3) {
            let before = loaded(&Model::new(world, scene.habits()), scene.place).unwrap();
            for fails_at in 0.. {
                let again = Model::new(world, Habits { fails_at: Some(fails_at), ..scene.habits() });
                let saved = save(&again, scene.place, 3, scene.new);
                if again.steps().0 <= fails_at {
                    break;
                }
                let found = loaded(&again, scene.place).unwrap();
                let is_new = found == Some(pair(3, scene.new));
                assert!(found == before || is_new, "{scene:?}, step {fails_at}, {saved:?}: {found:?} of {before:?}");
                tried += 1;
            }
        }
    }
    assert!(tried > 1000, "{tried}");
}
