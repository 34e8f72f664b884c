//! Scenes of whatever threads do, and the audit of such a scene's log held to the kernel that played it.

use std::collections::BTreeSet;

use forkpoint::align::header;
use forkpoint::audit::log::{Audit, Doubt, Lost, Name, Reason, audit};
use forkpoint::profile::Profile;
use forkpoint::source::{Log, OpenOptions};

use crate::generate::kernel::{FIRST_TID, Make, Op, Played, Scene, Style};

pub const STYLES: [Style; 3] = [Style::Full, Style::Calls, Style::Waits];

/// The audit of a log; none where it begins otherwise than the profile wants.
pub fn try_audit(log: &[u8], profile: &Profile, window_bytes: usize) -> Option<Audit> {
    let options = OpenOptions { window_bytes, ..OpenOptions::default() };
    let mut log = Log::from_bytes("scene", log.to_vec(), &options);
    let start = header::start(&mut log, profile).ok()?;
    Some(audit(&mut log, start, profile, Vec::new(), |_, _, _| ()).expect("what is in memory can be read"))
}

pub fn audited(log: &[u8], profile: &Profile, window_bytes: usize) -> Audit {
    try_audit(log, profile, window_bytes).expect("a header")
}

/// Draws a number below a limit.
type Draw<'d> = &'d mut dyn FnMut(u64) -> u64;

const MAKES: [Make; 7] = [
    Make::Manual,
    Make::Auto,
    Make::Semaphore(0),
    Make::Semaphore(2),
    Make::Mutant,
    Make::TimerManual,
    Make::TimerAuto,
];

/// Objects that all threads have.
const SHARED: usize = 4;
/// Threads besides the one that makes those.
const THREADS: usize = 4;

/// Threads that do what comes to them with a few objects.
pub fn anything(draw: Draw<'_>) -> Scene {
    let objects = (0..SHARED).map(|at| (format!("object:{at}"), make(draw))).collect();
    let first: Vec<Op> = (0..SHARED).map(Op::Create).chain([Op::Raise(0)]).collect();
    let mut scene = Scene { objects, threads: vec![first], deaf: Vec::new() };
    for thread in 1..=THREADS {
        let mut ops = vec![Op::Until(0)];
        for _ in 0..draw(14) {
            match draw(16) {
                0 => own_object(&mut scene, &mut ops, draw),
                1 => ops.push(Op::Join(1 + (thread + draw(3) as usize) % THREADS)),
                _ => deed(&scene, &mut ops, draw),
            }
        }
        scene.threads.push(ops);
    }
    scene
}

/// The same, but that a thread releases one more, or leaves something out.
pub fn changed(scene: &Scene, draw: Draw<'_>) -> Scene {
    let mut scene = scene.clone();
    let thread = 1 + draw(THREADS as u64) as usize;
    let ops = &mut scene.threads[thread];
    // What it begins with is that all objects are there.
    if ops.len() > 1 {
        let at = 1 + draw(ops.len() as u64 - 1) as usize;
        match &mut ops[at] {
            Op::Release(object, count) if matches!(scene.objects[*object].1, Make::Semaphore(_)) => *count += 1,
            _ => drop(ops.remove(at)),
        }
    }
    scene
}

fn make(draw: Draw<'_>) -> Make {
    MAKES[draw(MAKES.len() as u64) as usize]
}

/// An object that one thread makes, may go on by, and closes, so that its handle may be used again. None of this waits.
fn own_object(scene: &mut Scene, ops: &mut Vec<Op>, draw: Draw<'_>) {
    let (at, made) = (scene.objects.len(), make(draw));
    scene.objects.push((format!("object:{at}"), made));
    ops.push(Op::Create(at));
    if draw(2) == 1 {
        match made {
            Make::Mutant => ops.extend([Op::Wait(vec![at]), Op::Release(at, 1)]),
            Make::Semaphore(_) => ops.extend([Op::Release(at, 1), Op::Wait(vec![at])]),
            Make::TimerManual | Make::TimerAuto => ops.extend([Op::Fire(at), Op::Wait(vec![at])]),
            Make::Manual | Make::Auto => ops.extend([Op::Set(at), Op::Wait(vec![at])]),
        }
    }
    if draw(4) > 0 {
        ops.push(Op::Close(at));
    }
}

/// Something done with an object that all have.
fn deed(scene: &Scene, ops: &mut Vec<Op>, draw: Draw<'_>) {
    let at = draw(SHARED as u64) as usize;
    let other = (at + 1) % SHARED;
    let made = scene.objects[at].1;
    let is_event = matches!(made, Make::Manual | Make::Auto);
    let waits = match draw(8) {
        0 => Op::Wait(vec![at, other]),
        1 => Op::WaitAll(vec![at, other]),
        2 => Op::WaitTimed(at),
        _ => Op::Wait(vec![at]),
    };
    let op = match (made, draw(6)) {
        (_, 0) => Op::Work(1),
        (_, 1 | 2) => waits,
        (Make::Semaphore(_), _) => Op::Release(at, 1 + draw(2) as i64),
        // Only its owner may release a mutant; who took it twice has it still.
        (Make::Mutant, _) => {
            let times = 1 + draw(2) as usize;
            ops.extend(std::iter::repeat_n(Op::Wait(vec![at]), times));
            Op::Release(at, 1)
        }
        (Make::TimerManual | Make::TimerAuto, 3) => Op::Arm(at),
        (Make::TimerManual | Make::TimerAuto, _) => Op::Fire(at),
        (_, 3) if is_event => Op::Reset(at),
        (_, 4) if is_event => Op::Pulse(at),
        _ => Op::Set(at),
    };
    ops.push(op);
}

/// How many objects are known to stand as the kernel has them; an error names what is wrong.
pub fn agrees(scene: &Scene, played: &Played, audit: &Audit) -> Result<usize, String> {
    let world = &audit.world;
    if !world.unexplained.is_empty() {
        return Err(format!("all is logged, but {:?}", world.unexplained));
    }
    if audit.lines_skipped > 0 || audit.is_torn {
        return Err(format!("lines are malformed: {:?}", audit.faults));
    }
    let closed = played.stands.iter().filter(|stand| stand.is_closed).count() as u64;
    if world.destroyed != closed {
        return Err(format!("{} objects are destroyed, truly {closed}", world.destroyed));
    }
    waits_agree(scene, played, audit)?;
    let mut known = 0;
    for (at, stand) in played.stands.iter().enumerate() {
        let found = world.objects.find(&Name::Text(scene.objects[at].0.as_str().into()));
        let found = found.map(|at| &world.objects.all[at]);
        if stand.is_closed {
            if let Some(found) = found {
                return Err(format!("object:{at} is closed, and found: {found:?}"));
            }
            continue;
        }
        // A thread that stopped before that never made it.
        let Some(object) = found else {
            if at < SHARED {
                return Err(format!("object:{at} is not there"));
            }
            continue;
        };
        let has = object.owner.map(|(owner, _)| world.threads[owner.thread as usize].key.to_string());
        let stands = (object.available, has);
        let truly = (stand.available, stand.owner.map(|thread| (FIRST_TID + thread).to_string()));
        if stands != truly && !object.is_guessed {
            return Err(format!("object:{at} stands {stands:?}, truly {truly:?}"));
        }
        known += usize::from(!object.is_guessed);
        if object.signalled != stand.signalled {
            return Err(format!("object:{at} is signalled {} times, truly {}", object.signalled, stand.signalled));
        }
    }
    Ok(known)
}

/// Who waits, since when, and for what; and whether the reason may be so.
fn waits_agree(scene: &Scene, played: &Played, audit: &Audit) -> Result<(), String> {
    let world = &audit.world;
    let tid = |thread: u32| world.threads[thread as usize].key.to_string();
    let mut waiting: Vec<_> = audit
        .verdicts
        .iter()
        .map(|one| (tid(one.thread), one.since.line, one.objects.iter().copied().collect::<BTreeSet<_>>()))
        .collect();
    waiting.sort_unstable();
    let number = |object: &usize| {
        let name = match object.checked_sub(scene.objects.len()) {
            Some(thread) => format!("thread {}", FIRST_TID + thread),
            None => scene.objects[*object].0.clone(),
        };
        world.objects.find(&Name::Text(name.into())).map_or(0, |at| world.objects.all[at].number)
    };
    let parked = played.parked.iter();
    let mut parked: Vec<_> = parked
        .map(|(thread, objects, since)| {
            ((FIRST_TID + thread).to_string(), *since, objects.iter().map(number).collect())
        })
        .collect();
    parked.sort_unstable();
    if waiting != parked {
        return Err(format!("{waiting:?} wait, {parked:?} truly do"));
    }
    for verdict in &audit.verdicts {
        let word = verdict.reason.word();
        if word == "not-woken" {
            if verdict.doubts.contains(&Doubt::Guessed) {
                continue;
            }
            return Err(format!("the kernel wakes whom it can: {verdict:?}"));
        }
        let objects: Vec<_> =
            world.objects.living().filter(|(_, object)| verdict.objects.contains(&object.number)).collect();
        // What it could be taken for when it was made may be gone too.
        let is_of_old = matches!(verdict.reason, Reason::Lost(Lost { signal: None, .. }) | Reason::ParkedAgain { .. });
        let is_never = objects.iter().all(|(_, object)| object.signalled == 0) && !is_of_old;
        let is_single = objects.len() == 1 && !matches!(word, "held" | "deadlock");
        if is_single && is_never != (word == "never-signalled") {
            let signalled: Vec<u64> = objects.iter().map(|(_, one)| one.signalled).collect();
            return Err(format!("{verdict:?}, signalled {signalled:?}"));
        }
    }
    Ok(())
}
