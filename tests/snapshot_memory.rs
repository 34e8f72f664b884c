//! Loading takes no more memory than 16 times the body and a MiB, whatever the body says; files of every version are read.

// To count allocations means to be the allocator.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicIsize, Ordering};

use forkpoint::disk::Native;
use forkpoint::snapshot::body::Contents;
use forkpoint::snapshot::header::{Header, LENGTH};
use forkpoint::snapshot::load::open;
use forkpoint::snapshot::*;

static HELD: AtomicIsize = AtomicIsize::new(0);
static MOST: AtomicIsize = AtomicIsize::new(0);
/// One test at a time, since all threads count.
static ALONE: Mutex<()> = Mutex::new(());

struct Counting;

impl Counting {
    fn count(bytes: isize) {
        let held = HELD.fetch_add(bytes, Ordering::Relaxed) + bytes;
        MOST.fetch_max(held, Ordering::Relaxed);
    }
}

// SAFETY: the system's allocator does the work; what is counted never allocates.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Counting::count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        Counting::count(-(layout.size() as isize));
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most bytes held above what is held now while something is done.
fn most_bytes<T>(what: impl FnOnce() -> T) -> (T, isize) {
    let before = HELD.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let done = what();
    (done, MOST.load(Ordering::Relaxed) - before)
}

fn save_state(folder: &Path, state: impl Into<Contents>) -> PathBuf {
    let (state_path, memory_path) = (folder.join("vm.snap"), folder.join("vm.mem"));
    let request = SaveRequest {
        state_path: &state_path,
        memory_path: &memory_path,
        kind: SnapshotKind::Full,
        state,
        memory: &VecPageReader::new(vec![1; 10]),
        ram_size: 10,
        memory_page_size: 10,
        dirty: None,
    };
    save(request).unwrap();
    state_path
}

fn machine(vcpus: usize, registers: u64, devices: usize, blob: usize, gic: usize) -> MicrovmState {
    let mut vcpu = VcpuState::new(0);
    vcpu.sys_regs = (0..registers).map(|key| (key, 0)).collect::<BTreeMap<u64, u64>>();
    let device = DeviceState { blob: vec![0; blob], ..DeviceState::default() };
    MicrovmState {
        vm_info: VmInfo { boot_args: "a".repeat(gic), ..VmInfo::default() },
        vcpu_states: vec![vcpu; vcpus],
        device_states: DeviceStates::from_devices(vec![device; devices]),
        gic_state: GicState::from_bytes(vec![0; gic]),
        mmds_state: None,
    }
}

#[test]
fn loading_takes_memory_in_proportion_to_the_body() {
    let _alone = ALONE.lock().unwrap();
    // All that there may be many of, of what packs best: zeros.
    for state in [
        machine(1, 0, 0, 0, 1),
        machine(32, 20_000, 0, 0, 1),
        machine(1, 0, 200_000, 0, 1),
        machine(1, 0, 3, 1 << 20, 1),
        machine(1, 0, 0, 0, 4 << 20),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = save_state(folder.path(), state.clone());
        let body = std::fs::metadata(&path).unwrap().len() as isize - LENGTH as isize;
        let (loaded, most) = most_bytes(|| load(&path).unwrap());
        assert_eq!(loaded.state, state);
        assert!(most <= 16 * body + (1 << 20), "{most} bytes for a body of {body}");
        println!("{:.1} times a body of {body} bytes", most as f64 / body as f64);
    }
}

#[test]
fn a_body_that_lies_is_not_believed() {
    let _alone = ALONE.lock().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = save_state(folder.path(), machine(2, 3, 2, 5, 7));
    let sound = std::fs::read(&path).unwrap();
    let header = Header::read(&sound).unwrap();
    // Every byte is made greatest, and every eight of them, with the checksum that belongs to it: lengths among them.
    for width in [1, 8] {
        for at in LENGTH..=sound.len() - width {
            let mut body = sound[LENGTH..].to_vec();
            body[at - LENGTH..at - LENGTH + width].fill(0xFF);
            let head = header.write(&body);
            std::fs::write(&path, [&head[..], &body].concat()).unwrap();
            let (_, most) = most_bytes(|| open(&Native, &path, None).map(drop));
            assert!(
                most <= 16 * body.len() as isize + (1 << 20),
                "byte {at}: {most} bytes for a body of {}",
                body.len()
            );
        }
    }
}

#[test]
fn files_of_every_version_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/snapshot");
    let loaded = load(&folder.join("machine-v1.snap")).unwrap();
    assert_eq!(loaded.header.version, 1);
    assert_eq!(loaded.header.id.to_string(), "01000000000000000000000000000001");
    let state = &loaded.state;
    assert_eq!((state.vcpu_states.len(), state.vcpu_states[1].sys_regs[&7]), (2, 9));
    assert_eq!(state.device_states.devices[0].blob, b"\0\x01\xFF");
    assert_eq!(state.mmds_state.as_ref().unwrap().data_json, "{}");
    assert_eq!(verify(&Native, &folder.join("machine-v1.snap"), None).unwrap().damaged, []);
    let opened = open(&Native, &folder.join("document-v1.snap"), None).unwrap();
    assert_eq!(opened.body.contents, Contents::Document("{\"pc\": 1}\n".to_owned()));
    assert_eq!(opened.header.parent, Some(loaded.header.id));
    let dirty = opened.body.dirty.as_ref().unwrap();
    assert_eq!((0..3).map(|page| dirty.has(page)).collect::<Vec<_>>(), [false, true, true]);
    assert_eq!(opened.body.position, Some(Position::Thread { thread: 6.into(), ordinal: 1234 }));
    assert_eq!(opened.body.metadata["engine"], "one");
    assert_eq!(verify(&Native, &folder.join("document-v1.snap"), None).unwrap().damaged, []);
}
