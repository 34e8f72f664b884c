//! The fault guard: a mapped file that is cut short must not kill the process.
//!
//! Touching a mapped page that its file no longer reaches raises SIGBUS. The handler installed here
//! looks the address up in a fixed table of our mapped ranges; inside one it lays anonymous zero
//! pages over the rest of the range, raises the flag of the log, and returns, so that the
//! interrupted read goes on, over zeros. The log looks at its flag later and says that the file
//! changed. Any other SIGBUS goes to the handler that was there before. Nothing ever jumps across
//! Rust frames, takes a lock or allocates in the handler.
//!
//! The slots of the table are sequence locks. The slot of the faulting range itself cannot move meanwhile, because the
//! faulting thread holds the mapping.
#![allow(unsafe_code)]

use std::io;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use super::slot::{Held, Slot};

/// Mapped ranges that can be guarded at one time; a further window is read plainly.
pub(super) const SLOTS: usize = 1024;

/// `si_code` of a touch beyond the mapped object's end.
const BUS_ADRERR: libc::c_int = 2;

static TABLE: [Slot; SLOTS] = [const { free() }; SLOTS];
static NEXT: AtomicUsize = AtomicUsize::new(0);
static FIRED: AtomicU64 = AtomicU64::new(0);
static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();

const fn free() -> Slot {
    let ends = [AtomicUsize::new(0), AtomicUsize::new(0)];
    Slot::of(AtomicU64::new(0), ends, AtomicPtr::new(std::ptr::null_mut()))
}

/// A range under guard, until dropped. Drop it before the range is unmapped.
pub(super) struct Guarded {
    slot: usize,
    /// Keeps the flag alive that the table points at.
    _flag: Arc<AtomicBool>,
}

/// Puts whole pages under guard. `None` if the table is full.
pub(super) fn watch(start: usize, end: usize, flag: &Arc<AtomicBool>) -> Option<Guarded> {
    let hint = NEXT.fetch_add(1, Ordering::Relaxed);
    let held = Held { start, end, flag: Arc::as_ptr(flag) };
    let slot = (0..SLOTS).map(|step| hint.wrapping_add(step) % SLOTS).find(|slot| TABLE[*slot].fill(held))?;
    Some(Guarded { slot, _flag: Arc::clone(flag) })
}

impl Drop for Guarded {
    fn drop(&mut self) {
        TABLE[self.slot].empty();
    }
}

/// Installs the guard for the whole process; once is enough, more is harmless.
///
/// Without it logs are read plainly, never mapped. A program that has its own SIGBUS handler
/// keeps it: faults outside our mapped ranges are handed to it.
///
/// # Errors
/// The system refuses the handler, or is not Linux.
pub fn install() -> io::Result<()> {
    static INSTALLING: Mutex<()> = Mutex::new(());
    if !cfg!(target_os = "linux") {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let _alone = INSTALLING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let before = current()?;
    if is_ours(&before) {
        return Ok(());
    }
    // Kept before the handler can run. Should somebody replace our handler and call us again, the
    // first one met stays: theirs may hand on to ours, and the two must not call each other for ever.
    PREVIOUS.get_or_init(|| before);
    // SAFETY: an all-zero sigaction is a valid value: default action, empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = on_sigbus as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
    // SAFETY: both are valid for the call; the handler only does what a handler may (see there).
    match unsafe { libc::sigaction(libc::SIGBUS, &action, std::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Whether the guard stands: `install` was called and nobody replaced the handler since.
pub fn is_installed() -> bool {
    PREVIOUS.get().is_some() && current().is_ok_and(|action| is_ours(&action))
}

/// How often the guard caught a fault in this process.
pub fn times_fired() -> u64 {
    FIRED.load(Ordering::Relaxed)
}

fn is_ours(action: &libc::sigaction) -> bool {
    action.sa_sigaction == on_sigbus as *const () as usize
}

fn current() -> io::Result<libc::sigaction> {
    // SAFETY: an all-zero sigaction is a valid value to be written over.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: asks only; `action` is valid for the call.
    match unsafe { libc::sigaction(libc::SIGBUS, std::ptr::null(), &mut action) } {
        0 => Ok(action),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The handler. Async-signal-safe: atomics, `mmap` (a bare system call on Linux), no lock, no memory.
extern "C" fn on_sigbus(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: with SA_SIGINFO the kernel passes a valid siginfo; errno is the thread's own, and is put
    // back because the interrupted code may be about to read it.
    let (is_fault, address, errno) =
        unsafe { ((*info).si_code == BUS_ADRERR, (*info).si_addr() as usize, *libc::__errno_location()) };
    let covered = is_fault && cover(address);
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
    if !covered {
        hand_on(signal, info, context);
    }
}

/// Lays zero pages from the faulting page to the end of its range, if it is one of ours.
fn cover(address: usize) -> bool {
    for slot in &TABLE {
        let Some(Held { end, flag, .. }) = slot.held().filter(|held| (held.start..held.end).contains(&address)) else {
            continue;
        };
        // SAFETY: the range is one of our live mappings (the faulting thread holds it, so it is
        // neither unmapped nor moved now), and only the part of it from the faulting page on, which
        // no longer has a file behind it, is replaced by read-only zeros. Unmapping the whole range
        // later drops these pages as well.
        let laid = unsafe {
            let page = address & !(page_bytes() - 1);
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
            libc::mmap(page as *mut libc::c_void, end - page, libc::PROT_READ, flags, -1, 0)
        };
        if laid == libc::MAP_FAILED {
            return false;
        }
        // SAFETY: the slot's owner keeps the flag alive until after it has emptied the slot.
        unsafe { (*flag).store(true, Ordering::Release) };
        FIRED.fetch_add(1, Ordering::Relaxed);
        return true;
    }
    false
}

/// Bytes of a page.
pub(super) fn page_bytes() -> usize {
    // SAFETY: asks only; on Linux a look-up without a lock, fit for a handler.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}

/// Does with a SIGBUS that is not ours what would have been done without us.
fn hand_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: as the kernel passed it.
    let was_sent = unsafe { (*info).si_code } <= 0;
    let previous = PREVIOUS.get();
    let handler = previous.map_or(libc::SIG_DFL, |action| action.sa_sigaction);
    if handler == libc::SIG_IGN && was_sent {
        return;
    }
    // A fault cannot be ignored: returning to it with our handler in place would go round for ever.
    if handler == libc::SIG_DFL || handler == libc::SIG_IGN {
        // SAFETY: back to the default action. A fault happens again on return and ends the process
        // with the right core; a signal somebody sent is raised again, delivered on return.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
            if was_sent {
                libc::raise(signal);
            }
        }
        return;
    }
    let takes_info = previous.is_some_and(|action| action.sa_flags & libc::SA_SIGINFO != 0);
    // SAFETY: the handler came from sigaction, whose flag says which of the two shapes it has.
    unsafe {
        if takes_info {
            let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
                std::mem::transmute(handler);
            handler(signal, info, context);
        } else {
            let handler: extern "C" fn(libc::c_int) = std::mem::transmute(handler);
            handler(signal);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, ExitStatus};
    use std::thread;

    use memmap2::{Mmap, MmapOptions};

    use super::*;

    const SCENE: &str = "FORKPOINT_GUARD_SCENE";

    /// A map whose file is gone from under it.
    fn hollow() -> Mmap {
        let file = tempfile::tempfile().unwrap();
        file.set_len(1 << 16).unwrap();
        // SAFETY: only ever touched to fault, on purpose.
        let map = unsafe { MmapOptions::new().map(&file) }.unwrap();
        file.set_len(0).unwrap();
        map
    }

    extern "C" fn leave(_: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
        // SAFETY: ends the process at once; the kernel passed a valid siginfo.
        unsafe { libc::_exit(if (*info).si_code == BUS_ADRERR { 77 } else { 76 }) };
    }

    extern "C" fn leave_plainly(_: libc::c_int) {
        // SAFETY: ends the process at once.
        unsafe { libc::_exit(78) };
    }

    fn handle(handler: usize, flags: libc::c_int) {
        // SAFETY: a valid action whose handler has the shape its flags say.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler;
            action.sa_flags = flags;
            assert_eq!(libc::sigaction(libc::SIGBUS, &action, std::ptr::null_mut()), 0);
        }
    }

    /// Plays one scene in a process of its own; without a scene it is no test.
    #[test]
    fn scene() {
        let Ok(scene) = std::env::var(SCENE) else { return };
        match scene.split(' ').next().unwrap() {
            "handler" => handle(leave as *const () as usize, libc::SA_SIGINFO),
            "plain" => handle(leave_plainly as *const () as usize, 0),
            "ignored" => handle(libc::SIG_IGN, 0),
            _ => handle(libc::SIG_DFL, 0),
        }
        install().unwrap();
        assert!(is_installed());
        if scene.ends_with("fault") {
            std::hint::black_box(hollow()[5000]);
        } else {
            // SAFETY: sends a signal to this thread, no more.
            unsafe { libc::raise(libc::SIGBUS) };
        }
        std::process::exit(79);
    }

    fn play(scene: &str) -> ExitStatus {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "source::guard::tests::scene"]).env(SCENE, scene);
        command.output().unwrap().status
    }

    #[test]
    fn what_is_not_ours_goes_where_it_went_before() {
        assert_eq!(play("default fault").signal(), Some(libc::SIGBUS));
        assert_eq!(play("default sent").signal(), Some(libc::SIGBUS));
        assert_eq!(play("handler fault").code(), Some(77));
        assert_eq!(play("handler sent").code(), Some(76));
        assert_eq!(play("plain fault").code(), Some(78));
        assert_eq!(play("plain sent").code(), Some(78));
        assert_eq!(play("ignored fault").signal(), Some(libc::SIGBUS));
        assert_eq!(play("ignored sent").code(), Some(79));
    }

    #[test]
    fn the_right_flag_is_raised_while_others_come_and_go() {
        install().unwrap();
        let stop = AtomicBool::new(false);
        let other = Arc::new(AtomicBool::new(false));
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        let maps: Vec<Mmap> = (0..4)
                            .map(|_| MmapOptions::new().len(4096).map_anon().unwrap())
                            .map(|map| map.make_read_only().unwrap())
                            .collect();
                        let watched: Vec<_> = maps
                            .iter()
                            .map(|map| watch(map.as_ptr() as usize, map.as_ptr() as usize + 4096, &other))
                            .collect();
                        drop(watched);
                    }
                });
            }
            for _ in 0..200 {
                let map = hollow();
                let flag = Arc::new(AtomicBool::new(false));
                let start = map.as_ptr() as usize;
                let guarded = watch(start, start + map.len(), &flag).unwrap();
                assert_eq!(map[9000], 0);
                assert!(flag.load(Ordering::Acquire));
                drop(guarded);
                assert_eq!(Arc::strong_count(&flag), 1);
            }
            stop.store(true, Ordering::Relaxed);
        });
        assert!(!other.load(Ordering::Acquire));
    }
}
