//! Pairs of state and memory on the system's own file systems.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use forkpoint::disk::Native;
use forkpoint::snapshot::body::Contents;
use forkpoint::snapshot::load::open;
use forkpoint::snapshot::*;
use proptest::prelude::*;
use tempfile::TempDir;

const KIB: u64 = 1024;

/// A folder, and the pairs in it.
struct Place(TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(self.0.path()).unwrap().map(|one| one.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn pair(&self, name: &str) -> (PathBuf, PathBuf) {
        (self.at(&format!("{name}.snap")), self.at(&format!("{name}.mem")))
    }

    /// Saves all of some memory, or its dirty pages.
    fn save(&self, name: &str, memory: &[u8], page: u64, dirty: Option<&DirtyBitmap>) -> SaveReport {
        self.save_onto(name, memory, page, dirty, None).unwrap()
    }

    fn save_onto(
        &self,
        name: &str,
        memory: &[u8],
        page: u64,
        dirty: Option<&DirtyBitmap>,
        parent: Option<SnapshotId>,
    ) -> Result<SaveReport, SnapshotError> {
        let (state_path, memory_path) = self.pair(name);
        let request = SaveRequest {
            state_path: &state_path,
            memory_path: &memory_path,
            kind: if dirty.is_some() { SnapshotKind::Diff } else { SnapshotKind::Full },
            state: machine(),
            memory: &VecPageReader::new(memory.to_vec()),
            ram_size: memory.len() as u64,
            memory_page_size: page,
            dirty,
        };
        save_with(request, SaveOptions { parent, ..SaveOptions::default() })
    }
}

/// A machine whose parts all differ.
fn machine() -> MicrovmState {
    let mut first = VcpuState::new(0x8000_0000);
    first.regs.x = std::array::from_fn(|at| at as u64 * 0x0101_0101);
    (first.regs.sp, first.regs.pc, first.regs.pstate) = (7, 0xFFFF_8000_0000_0000, 0x3C5);
    first.fp_regs.v = std::array::from_fn(|at| [at as u64, u64::MAX - at as u64]);
    (first.fp_regs.fpsr, first.fp_regs.fpcr) = (1, 2);
    first.sys_regs = BTreeMap::from([(3, 4), (0, u64::MAX)]);
    first.psci_state = PsciVcpuState::On;
    let mut second = VcpuState::new(1);
    second.psci_state = PsciVcpuState::OnPending;
    let device = |kind: &str, id: &str, mmio_slot, blob: &[u8]| DeviceState {
        kind: kind.to_owned(),
        id: id.to_owned(),
        mmio_slot,
        blob: blob.to_vec(),
    };
    MicrovmState {
        vm_info: VmInfo {
            mem_size_mib: 4,
            cpu_template: "T2".to_owned(),
            kernel_image_path: "/boot/Image".to_owned(),
            initrd_path: Some("/boot/initrd".to_owned()),
            boot_args: "console=ttyS0 µ".to_owned(),
            track_dirty_pages: true,
            smt: false,
        },
        vcpu_states: vec![first, second],
        device_states: DeviceStates::from_devices(vec![
            device("virtio-net", "eth1", 2, b"\x01\0\0\0\xFFeth"),
            device("virtio-net", "eth0", 2, b""),
            device("serial", "com1", 0, &[0; 300]),
        ]),
        gic_state: GicState::from_bytes(vec![9; 64]),
        mmds_state: Some(MmdsState { data_json: "{\"a\":1}".to_owned(), token_ttl_seconds: Some(60) }),
    }
}

/// Bytes that no page has twice, of pages that are not zero.
fn noise(length: u64, seed: u64) -> Vec<u8> {
    (0..length).map(|at| (((at / 7 + seed) * 0x9E37_79B9) >> 13) as u8 | 1).collect()
}

fn text(error: SnapshotError) -> String {
    error.to_string()
}

#[test]
fn a_machine_comes_back_as_it_was() {
    let place = Place::new();
    let memory = noise(40 * KIB + 5, 1);
    let report = place.save("vm", &memory, 16 * KIB, None);
    assert_eq!(report.pages_written, 3);
    let loaded = load(&place.at("vm.snap")).unwrap();
    assert_eq!((loaded.state, loaded.version.as_str()), (machine(), "1"));
    assert_eq!((loaded.header.id, loaded.header.memory_length), (report.id, memory.len() as u64));
    let devices = machine().device_states.devices;
    assert_eq!(devices.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["com1", "eth0", "eth1"]);
    assert_eq!(fs::read(place.at("vm.mem")).unwrap(), memory);
    assert_eq!(loaded.memory.path, place.at("vm.mem"));
    assert_eq!(place.names(), ["vm.mem", "vm.snap"]);
    for name in ["vm.mem", "vm.snap"] {
        assert_eq!(fs::metadata(place.at(name)).unwrap().permissions().mode() & 0o7777, 0o600, "{name}");
    }
    assert_eq!(fs::metadata(place.at("vm.snap")).unwrap().len(), report.state_bytes);
}

#[test]
fn pages_of_zeros_are_holes() {
    let place = Place::new();
    let mut memory = vec![0; 64 << 20];
    memory[(33 << 20) + 5000] = 1;
    let report = place.save("vm", &memory, 4 * KIB, None);
    assert_eq!(report.pages_written, 1);
    let about = fs::metadata(place.at("vm.mem")).unwrap();
    assert_eq!(about.len(), 64 << 20);
    assert!(about.blocks() * 512 <= 64 * KIB, "{} blocks", about.blocks());
    assert_eq!(verify(&Native, &place.at("vm.snap"), None).unwrap().damaged, []);
}

#[test]
fn a_diff_holds_what_is_dirty_be_it_zero_and_says_so() {
    let place = Place::new();
    let mut memory = noise(10 * 4 * KIB - 1, 3);
    memory[4 * 4 * KIB as usize..5 * 4 * KIB as usize].fill(0);
    for bitmap_page in [KIB, 4 * KIB, 16 * KIB] {
        let dirty = DirtyBitmap::new(0x4000_0000, memory.len() as u64, bitmap_page).unwrap();
        for address in [4 * 4 * KIB, 9 * 4 * KIB + 5] {
            assert!(dirty.set_dirty(0x4000_0000 + address));
        }
        let report = place.save(&format!("d{bitmap_page}"), &memory, 4 * KIB, Some(&dirty));
        let wanted: BTreeSet<u64> = match bitmap_page {
            16384 => [4, 5, 6, 7, 8, 9].into(),
            _ => [4, 9].into(),
        };
        assert_eq!((report.pages_written, dirty.count_dirty()), (wanted.len() as u64, 0));
        let opened = open(&Native, &place.at(&format!("d{bitmap_page}.snap")), None).unwrap();
        let pages = opened.body.dirty.unwrap();
        assert_eq!((0..12).filter(|page| pages.has(*page)).collect::<BTreeSet<_>>(), wanted);
        assert_eq!(opened.body.ram_start, 0x4000_0000);
        let kept = fs::read(place.at(&format!("d{bitmap_page}.mem"))).unwrap();
        for (at, byte) in memory.iter().enumerate() {
            let page = at as u64 / (4 * KIB);
            assert_eq!(kept[at], if wanted.contains(&page) { *byte } else { 0 }, "byte {at}");
        }
    }
}

#[test]
fn what_cannot_be_saved_is_refused_by_name_and_leaves_the_old_pair() {
    let place = Place::new();
    let memory = noise(8 * KIB, 1);
    place.save("vm", &memory, 4 * KIB, None);
    let (state_path, memory_path) = place.pair("vm");
    let before = [&state_path, &memory_path].map(|path| fs::read(path).unwrap());
    let reader = VecPageReader::new(memory.clone());
    let dirty = DirtyBitmap::new(0, 8 * KIB, 4 * KIB).unwrap();
    dirty.set_dirty(0);
    let other = DirtyBitmap::new(0, 12 * KIB, 4 * KIB).unwrap();
    let request = SaveRequest {
        state_path: &state_path,
        memory_path: &memory_path,
        kind: SnapshotKind::Full,
        state: machine(),
        memory: &reader,
        ram_size: 8 * KIB,
        memory_page_size: 4 * KIB,
        dirty: None,
    };
    let diff = SaveRequest { kind: SnapshotKind::Diff, dirty: Some(&dirty), ..request.clone() };
    let mut crowd = machine();
    crowd.vcpu_states = vec![VcpuState::new(0); 33];
    let mut untracked = machine();
    untracked.vm_info.track_dirty_pages = false;
    let mut large = machine();
    large.gic_state = GicState::from_bytes(vec![1; 65 << 20]);
    let nowhere = place.at("nowhere/vm.snap");
    let folder = place.at("");
    type Request<'a> = SaveRequest<'a, MicrovmState>;
    let cases: Vec<(Request, &str)> = vec![
        (SaveRequest { memory_page_size: 0, ..request.clone() }, "invalid snapshot path: a page of 0 bytes"),
        (SaveRequest { memory_page_size: 9000, ..request.clone() }, "invalid snapshot path: a page of 9000 bytes"),
        (SaveRequest { ram_size: 0, ..request.clone() }, "invalid snapshot path: there is no memory"),
        (
            SaveRequest { memory_path: &state_path, ..request.clone() },
            "invalid snapshot path: state and memory would both be",
        ),
        (SaveRequest { state: crowd, ..request.clone() }, "snapshot is from a different VMM"),
        (SaveRequest { state: untracked, ..diff.clone() }, "invalid snapshot path: a diff of a machine whose pages"),
        (SaveRequest { dirty: None, ..diff.clone() }, "invalid snapshot path: a diff without a bitmap"),
        (SaveRequest { dirty: Some(&other), ..diff.clone() }, "invalid snapshot path: the bitmap is of 12288 bytes"),
        (diff.clone(), "is a full snapshot, which a diff does not replace"),
        (SaveRequest { state_path: &nowhere, ..diff.clone() }, "a diff does not replace what may be a full memory"),
        (SaveRequest { state_path: &nowhere, ..request.clone() }, "snapshot I/O error: No such file"),
        (SaveRequest { state_path: &folder, ..request.clone() }, "names no file"),
        (SaveRequest { state: large, ..request.clone() }, "snapshot exceeds 67108864 byte deserialization limit"),
        (SaveRequest { ram_size: 8 * KIB + 1, ..request.clone() }, "memory file I/O error: 8193 bytes at 0 of 8192"),
    ];
    for (request, wanted) in cases {
        let error = text(save(request).unwrap_err());
        assert!(error.contains(wanted), "{error:?} has no {wanted:?}");
        assert_eq!([&state_path, &memory_path].map(|path| fs::read(path).unwrap()), before, "{wanted}");
        assert_eq!(place.names(), ["vm.mem", "vm.snap"], "{wanted}");
        assert_eq!(dirty.count_dirty(), 1, "{wanted}");
    }
}

#[test]
fn a_folder_that_may_not_be_written_leaves_all_as_it_was() {
    let place = Place::new();
    place.save("vm", &noise(KIB, 1), KIB, None);
    let before = fs::read(place.at("vm.snap")).unwrap();
    fs::set_permissions(place.0.path(), fs::Permissions::from_mode(0o500)).unwrap();
    let saved = place.save_onto("vm", &noise(KIB, 2), KIB, None, None);
    fs::set_permissions(place.0.path(), fs::Permissions::from_mode(0o700)).unwrap();
    // Root may write everywhere.
    if rustix::process::geteuid().is_root() {
        saved.unwrap();
    } else {
        assert!(text(saved.unwrap_err()).contains("Permission denied"));
        assert_eq!(fs::read(place.at("vm.snap")).unwrap(), before);
    }
    assert_eq!(place.names(), ["vm.mem", "vm.snap"]);
}

#[test]
fn what_dead_writers_left_is_removed_and_what_live_ones_write_is_not() {
    let place = Place::new();
    let mut live = AtomicWriter::open(&place.at("vm.snap")).unwrap();
    live.write_all(b"still being written").unwrap();
    let stale = place.at(".vm.mem.forkpoint-0123456789abcdef");
    fs::write(&stale, b"dead").unwrap();
    let others = [
        ".vm.mem.forkpoint-0123456789abcdeg",
        ".vm.mem.forkpoint-01",
        ".other.forkpoint-0123456789abcdef",
        "vm.mem.tmp",
    ];
    others.iter().for_each(|name| fs::write(place.at(name), b"nobody's").unwrap());
    place.save("vm", &noise(KIB, 1), KIB, None);
    assert!(!stale.exists() && live.temp_path().exists());
    assert!(others.iter().all(|name| place.at(name).exists()));
    let temp = live.temp_path().to_owned();
    assert_ne!(temp, derive_temp_path(&place.at("vm.snap")));
    assert_eq!(fs::metadata(&temp).unwrap().permissions().mode() & 0o7777, 0o600);
    live.commit().unwrap();
    assert_eq!(fs::read(place.at("vm.snap")).unwrap(), b"still being written");
    assert!(!temp.exists());
}

#[test]
fn links_at_the_destination_are_replaced_and_not_followed() {
    let place = Place::new();
    fs::write(place.at("precious"), b"precious").unwrap();
    symlink("precious", place.at("vm.mem")).unwrap();
    place.save("vm", &noise(KIB, 1), KIB, None);
    assert_eq!(fs::read(place.at("precious")).unwrap(), b"precious");
    assert!(!fs::symlink_metadata(place.at("vm.mem")).unwrap().is_symlink());
    load(&place.at("vm.snap")).unwrap();
}

#[test]
fn of_savers_and_loaders_at_once_each_has_a_whole_pair() {
    let place = Place::new();
    let memory = |seed: u64| noise(3 * KIB, seed);
    place.save("vm", &memory(0), KIB, None);
    let over = AtomicBool::new(false);
    let loads = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let savers: Vec<_> = (1..4)
            .map(|saver| {
                let place = &place;
                scope.spawn(move || {
                    (0..40).for_each(|round| {
                        place.save("vm", &memory(saver * 1000 + round), KIB, None);
                    })
                })
            })
            .collect();
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let opened = open(&Native, &place.at("vm.snap"), None).unwrap();
                    // Its checksums say whether the memory is the state's own.
                    let mut memory = vec![0; 3 * KIB as usize];
                    opened.memory.file.read_at(&mut memory, 0).unwrap();
                    assert_eq!(opened.body.sums.get(0), Some(crc32fast::hash(&memory)));
                    loads.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        savers.into_iter().for_each(|saver| saver.join().unwrap());
        over.store(true, Ordering::Relaxed);
    });
    assert!(loads.into_inner() > 0);
    assert_eq!(place.names(), ["vm.mem", "vm.snap"]);
}

#[test]
fn every_flipped_bit_and_every_truncation_is_found() {
    let place = Place::new();
    let mut memory = noise(2 * KIB, 1);
    memory[KIB as usize..].fill(0);
    place.save("vm", &memory, KIB, None);
    let (state_path, memory_path) = place.pair("vm");
    let (state, memory) = (fs::read(&state_path).unwrap(), fs::read(&memory_path).unwrap());
    let is_sound = || verify(&Native, &state_path, None).is_ok_and(|found| found.damaged.is_empty());
    assert!(is_sound());
    for bit in 0..state.len() * 8 {
        let mut damaged = state.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        fs::write(&state_path, &damaged).unwrap();
        assert!(load(&state_path).is_err(), "bit {bit} of the state");
        assert!(!is_sound());
        if bit % 5 == 0 {
            assert_ne!(describe(&state_path).unwrap().trouble, [""; 0], "bit {bit}");
        }
    }
    for length in 0..state.len() {
        fs::write(&state_path, &state[..length]).unwrap();
        assert!(load(&state_path).is_err(), "{length} bytes of the state");
        assert_ne!(describe(&state_path).unwrap().trouble, [""; 0]);
    }
    fs::write(&state_path, [&state[..], b"\0"].concat()).unwrap();
    assert!(load(&state_path).is_err(), "a byte more");
    fs::write(&state_path, &state).unwrap();
    for bit in 0..memory.len() * 8 {
        let mut damaged = memory.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        fs::write(&memory_path, &damaged).unwrap();
        let found = verify(&Native, &state_path, None).unwrap();
        assert_eq!(found.damaged, std::slice::from_ref(&(0..2 * KIB)), "bit {bit} of the memory");
    }
    for length in 0..memory.len() {
        fs::write(&memory_path, &memory[..length]).unwrap();
        assert!(load(&state_path).is_err() && !is_sound(), "{length} bytes of the memory");
    }
    fs::write(&memory_path, &memory).unwrap();
    assert!(is_sound());
}

#[test]
fn files_that_are_none_of_ours_are_described() {
    let place = Place::new();
    place.save("vm", &noise(KIB, 1), KIB, None);
    let sound = fs::read(place.at("vm.snap")).unwrap();
    let describe_bytes = |bytes: &[u8]| {
        fs::write(place.at("vm.snap"), bytes).unwrap();
        describe(&place.at("vm.snap")).unwrap()
    };
    let told = describe_bytes(&sound);
    assert_eq!((told.vcpu_count, told.mem_size_mib, told.crc_ok, told.trouble.len()), (Some(2), Some(4), true, 0));
    let human = told.human();
    for line in [
        "  magic:               0x0a50414e53504689\n",
        "  version:             1\n",
        "  track_dirty_pages:   true\n",
        "  devices:             3\n    - serial: com1 (slot 0)\n    - virtio-net: eth0 (slot 2)\n",
        "  mmds_present:        true\n",
        "vm.mem (1024 bytes)\n",
        "  crc_ok:              yes\n",
    ] {
        assert!(human.contains(line), "{human}");
    }
    // A newer version is told, and its body not guessed at.
    let mut newer = sound.clone();
    newer[8] = 2;
    let told = describe_bytes(&newer);
    assert_eq!((told.version.as_deref(), told.vcpu_count, told.kind), (Some("2"), None, Some("full")));
    assert!(told.human().contains("  expected (forkpoint): 1\n"), "{}", told.human());
    assert!(matches!(load(&place.at("vm.snap")), Err(SnapshotError::VersionMismatch { .. })));
    // What can be read of a damaged one is.
    let mut damaged = sound.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let told = describe_bytes(&damaged);
    assert_eq!((told.crc_ok, told.vcpu_count), (false, Some(2)));
    assert!(told.human().contains("  crc_ok:              NO\n"));
    // Another tool's, as it writes them: an envelope that begins with its magic number, and the checksum behind.
    let squib = include_bytes!("../corpus/snapshot/squib-5.0.0.snap");
    let told = describe_bytes(squib);
    assert_eq!((told.foreign, told.magic), (Some("squib"), Some(0x0710_1984_AAAA_0000)));
    let error = load(&place.at("vm.snap")).unwrap_err();
    assert_eq!(text(error), "snapshot magic mismatch (file: 0x07101984aaaa0000, expected: 0x0a50414e53504689)");
    let told = describe_bytes(b"{}");
    assert_eq!((told.magic, told.crc_ok, told.memory_file), (None, false, None));
    assert_eq!(told.trouble, ["snapshot file is too short to contain a header"]);
    fs::remove_file(place.at("vm.mem")).unwrap();
    assert!(describe_bytes(&sound).human().contains("vm.mem (MISSING)\n"));
    assert!(describe(&place.at("none")).is_err());
}

#[test]
fn chains_are_put_together_in_their_order_and_in_no_other() {
    let place = Place::new();
    let length = 8 * KIB;
    let bitmap = |pages: &[u64]| {
        let dirty = DirtyBitmap::new(0, length, KIB).unwrap();
        pages.iter().for_each(|page| assert!(dirty.set_dirty_by_index(*page)));
        dirty
    };
    let mut memory = noise(length, 1);
    let base = place.save("base", &memory, KIB, None);
    let other = place.save("other", &noise(length, 9), KIB, None);
    let mut change = |pages: &[u64], seed: u64| {
        for page in pages {
            let page = (*page * KIB) as usize..(*page * KIB + KIB) as usize;
            let length = page.len() as u64;
            memory[page].copy_from_slice(&if seed == 0 { vec![0; length as usize] } else { noise(length, seed) });
        }
        memory.clone()
    };
    let one = place.save_onto("one", &change(&[1, 7], 5), KIB, Some(&bitmap(&[1, 7])), Some(base.id)).unwrap();
    place.save_onto("two", &change(&[7], 0), KIB, Some(&bitmap(&[7])), Some(one.id)).unwrap();
    place.save("lone", &memory, KIB, Some(&bitmap(&[1, 7])));
    let put = |base: &str, diffs: &[&str]| {
        let diffs: Vec<PathBuf> = diffs.iter().map(|name| place.at(&format!("{name}.snap"))).collect();
        let (state_path, memory_path) = place.pair("out");
        rebase(
            &Native,
            &RebaseRequest {
                base: &place.at(&format!("{base}.snap")),
                diffs: &diffs,
                state_path: &state_path,
                memory_path: &memory_path,
            },
        )
    };
    put("base", &["one", "two"]).unwrap();
    assert_eq!(fs::read(place.at("out.mem")).unwrap(), memory);
    assert_eq!(load(&place.at("out.snap")).unwrap().header.kind, SnapshotKind::Full);
    put("base", &["lone"]).unwrap();
    assert_eq!(fs::read(place.at("out.mem")).unwrap(), memory);
    let before = fs::read(place.at("out.snap")).unwrap();
    for (base, diffs, why) in [
        ("base", &["two"][..], "two.snap: goes onto snapshot"),
        ("base", &["two", "one"], "two.snap: goes onto snapshot"),
        ("other", &["one"], &format!("other.snap is {}", other.id)),
        ("one", &["two"], "one.snap: is a diff: a chain begins with a full snapshot"),
        ("base", &["other"], "other.snap: is a full snapshot: only diffs follow"),
        ("base", &["one", "lone"], "lone.snap: names no parent"),
        ("base", &["none"], "none.snap: snapshot I/O error"),
        ("out", &["lone"], "out.snap would be written over it"),
    ] {
        let error = text(put(base, diffs).unwrap_err());
        assert!(error.contains(why), "{error:?} has no {why:?}");
        assert_eq!(fs::read(place.at("out.snap")).unwrap(), before);
    }
    let mut damaged = fs::read(place.at("one.mem")).unwrap();
    damaged[0] = 1;
    fs::write(place.at("one.mem"), damaged).unwrap();
    assert!(text(put("base", &["one"]).unwrap_err()).contains("one.mem is damaged at bytes 0 to 8192"));
}

#[test]
fn what_was_dirty_is_dirty_again_when_a_save_fails_midway() {
    /// Memory whose second page is dirtied while it is read, and which then cannot be read.
    struct Torn<'b>(&'b DirtyBitmap);
    impl PageReader for Torn<'_> {
        fn read_at(&self, _: u64, _: &mut [u8]) -> std::io::Result<()> {
            assert_eq!(self.0.count_dirty(), 0, "taken before it is read");
            self.0.set_dirty(4 * KIB);
            Err(std::io::Error::other("torn"))
        }
    }
    let place = Place::new();
    let (state_path, memory_path) = place.pair("vm");
    let dirty = DirtyBitmap::new(0, 16 * KIB, 4 * KIB).unwrap();
    dirty.set_dirty(0);
    let request = SaveRequest {
        state_path: &state_path,
        memory_path: &memory_path,
        kind: SnapshotKind::Diff,
        state: machine(),
        memory: &Torn(&dirty),
        ram_size: 16 * KIB,
        memory_page_size: 4 * KIB,
        dirty: Some(&dirty),
    };
    assert_eq!(text(save(request).unwrap_err()), "memory file I/O error: torn");
    assert_eq!((dirty.drain(), place.names()), (vec![0, 1], vec![]));
}

#[test]
fn nothing_that_is_dirtied_while_a_save_runs_is_lost() {
    let seconds = std::env::var("FORKPOINT_STRESS_SECONDS").map_or(2, |text| text.parse().unwrap());
    const PAGES: u64 = 512;
    // Memory that changes: each page is a number that only grows.
    let pages: Vec<AtomicU64> = (0..PAGES).map(|_| AtomicU64::default()).collect();
    struct Live<'p>(&'p [AtomicU64]);
    impl PageReader for Live<'_> {
        fn read_at(&self, offset: u64, block: &mut [u8]) -> std::io::Result<()> {
            for (at, part) in block.chunks_mut(8).enumerate() {
                let value = self.0[(offset / 8) as usize + at].load(Ordering::Acquire);
                part.copy_from_slice(&value.to_le_bytes());
            }
            Ok(())
        }
    }
    let place = Place::new();
    let adaptive = AdaptiveBitmap::new(0, PAGES * 16 * KIB, Instant::now()).unwrap();
    let plain = DirtyBitmap::new(0, PAGES * 8, 8).unwrap();
    let over = AtomicBool::new(false);
    let mut kept = vec![0; PAGES as usize];
    let saves = std::thread::scope(|scope| {
        for writer in 0..2 {
            let (pages, plain, adaptive, over) = (&pages, &plain, &adaptive, &over);
            scope.spawn(move || {
                let mut random = 1 + writer;
                while !over.load(Ordering::Relaxed) {
                    random = (random * 48_271_u64) % 0x7FFF_FFFF;
                    let page = random % PAGES;
                    pages[page as usize].fetch_add(1, Ordering::Release);
                    plain.set_dirty(page * 8);
                    adaptive.mark_dirty(page * 16 * KIB);
                }
            });
        }
        let begun = Instant::now();
        let mut saves = 0;
        let mut save_once = |failing: bool| {
            let (state_path, memory_path) = place.pair("live");
            let reader = Live(&pages);
            let request = SaveRequest {
                state_path: &state_path,
                memory_path: if failing { Path::new("/nowhere/live.mem") } else { &memory_path },
                kind: SnapshotKind::Diff,
                state: machine(),
                memory: &reader,
                ram_size: PAGES * 8,
                memory_page_size: 8,
                dirty: Some(&plain),
            };
            assert_eq!(save(request).is_err(), failing);
            if failing {
                return;
            }
            let opened = open(&Native, &state_path, None).unwrap();
            let memory = fs::read(&memory_path).unwrap();
            let dirty = opened.body.dirty.unwrap();
            for page in (0..PAGES).filter(|page| dirty.has(*page)) {
                let at = page as usize * 8;
                kept[page as usize] = u64::from_le_bytes(memory[at..at + 8].try_into().unwrap());
            }
            saves += 1;
        };
        while begun.elapsed() < Duration::from_secs(seconds) {
            save_once(false);
            save_once(true);
            adaptive.tick(Instant::now());
        }
        over.store(true, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(20));
        save_once(false);
        saves
    });
    let live: Vec<u64> = pages.iter().map(|page| page.load(Ordering::Acquire)).collect();
    // Writers may have ended right behind the last save.
    let late = plain.drain();
    for page in 0..PAGES as usize {
        assert!(kept[page] == live[page] || late.contains(&(page as u64)), "page {page} was lost in {saves} saves");
    }
    let told: BTreeSet<u64> = adaptive.collect().drain().into_iter().collect();
    assert!((0..PAGES).all(|page| live[page as usize] == 0 || told.contains(&page)));
    println!("{saves} saves");
}

#[test]
fn the_adaptive_bitmap_goes_over_once_and_allows_more_to_a_late_tick() {
    let begun = Instant::now();
    let after = |ms| begun + Duration::from_millis(ms);
    let bitmap = AdaptiveBitmap::new(1 << 30, 64 << 20, begun).unwrap();
    let mark = |times: u64| {
        (0..times).for_each(|at| {
            bitmap.mark_dirty((1 << 30) + (5 << 20) + at);
        })
    };
    mark(33);
    assert!(!bitmap.tick(after(99)), "the window is not over");
    assert!(!bitmap.tick(after(200)), "33 in two windows are not too many");
    mark(32);
    assert!(!bitmap.tick(after(300)));
    mark(66);
    assert!(bitmap.tick(after(500)), "66 in two windows are");
    assert_eq!(bitmap.page_size(), 16 * KIB);
    mark(100);
    assert!(!bitmap.tick(after(600)), "only once");
    assert!(!bitmap.mark_dirty(5) && !bitmap.mark_dirty((1 << 30) + (64 << 20)), "outside of memory");
    // What was noted before covers its whole large page, what came behind is in it.
    let pages = bitmap.collect().drain();
    assert_eq!(pages, (256..384).collect::<Vec<u64>>());
    assert_eq!(bitmap.collect().drain(), [0; 0]);
}

#[test]
fn bitmaps_know_their_bounds() {
    for (start, size, page, why) in [
        (0, 100, 0, "a page of 0 bytes"),
        (0, 100, 48, "a page of 48 bytes"),
        (0, 0, 4, "no memory"),
        (u64::MAX - 10, 100, 4, "do not end below 2^64"),
        (0, u64::MAX, 1, "no memory for a bit"),
    ] {
        assert!(text(DirtyBitmap::new(start, size, page).unwrap_err()).contains(why), "{why}");
    }
    let bitmap = DirtyBitmap::new(100, 130 * 4 - 1, 4).unwrap();
    assert_eq!(bitmap.pages(), 130);
    assert!(!bitmap.set_dirty(99) && !bitmap.set_dirty(100 + 519) && !bitmap.set_dirty_by_index(130));
    assert!(bitmap.set_dirty(100 + 518) && !bitmap.set_dirty_by_index(129));
    assert!(bitmap.set_dirty_by_index(16));
    assert!(bitmap.is_dirty(100 + 516) && !bitmap.is_dirty(100 + 515) && !bitmap.is_dirty(0));
    let finer = DirtyBitmap::new(100, 130 * 4 - 1, 1).unwrap();
    bitmap.fold_into_finer(&finer).unwrap();
    assert_eq!(finer.drain(), [64, 65, 66, 67, 516, 517, 518]);
    assert!(finer.fold_into_finer(&bitmap).is_err());
    assert!(bitmap.fold_into_finer(&DirtyBitmap::new(0, 130 * 4 - 1, 1).unwrap()).is_err());
    assert_eq!((bitmap.drain(), bitmap.count_dirty()), (vec![16, 129], 0));
}

fn any_machine() -> impl Strategy<Value = MicrovmState> {
    let vcpu =
        (any::<u64>(), any::<[u64; 31]>(), prop::collection::btree_map(any::<u64>(), any::<u64>(), 0..9), 0..3_usize)
            .prop_map(|(mpidr, x, sys_regs, psci)| {
                let mut state = VcpuState::new(mpidr);
                (state.regs.x, state.sys_regs) = (x, sys_regs);
                state.fp_regs.v[31] = [x[0], x[1]];
                state.psci_state = [PsciVcpuState::On, PsciVcpuState::Off, PsciVcpuState::OnPending][psci];
                state
            });
    let device = (any::<String>(), any::<String>(), any::<u32>(), prop::collection::vec(any::<u8>(), 0..99))
        .prop_map(|(kind, id, mmio_slot, blob)| DeviceState { kind, id, mmio_slot, blob });
    let info = (any::<u64>(), any::<String>(), any::<Option<String>>(), any::<bool>()).prop_map(
        |(mem_size_mib, boot_args, initrd_path, track_dirty_pages)| VmInfo {
            mem_size_mib,
            boot_args,
            initrd_path,
            track_dirty_pages,
            ..VmInfo::default()
        },
    );
    let mmds = prop::option::of((any::<String>(), any::<Option<u32>>()))
        .prop_map(|mmds| mmds.map(|(data_json, token_ttl_seconds)| MmdsState { data_json, token_ttl_seconds }));
    let parts = (
        info,
        prop::collection::vec(vcpu, 1..33),
        prop::collection::vec(device, 0..9),
        prop::collection::vec(any::<u8>(), 1..300),
        mmds,
    );
    parts.prop_map(|(vm_info, vcpu_states, devices, gic, mmds_state)| MicrovmState {
        vm_info,
        vcpu_states,
        device_states: DeviceStates::from_devices(devices),
        gic_state: GicState::from_bytes(gic),
        mmds_state,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_machine_comes_back(state in any_machine(), metadata in prop::collection::btree_map(any::<String>(), any::<String>(), 0..4), ordinal in any::<u64>()) {
        let place = Place::new();
        let (state_path, memory_path) = place.pair("vm");
        let position = Some(Position::Thread { thread: "main".into(), ordinal });
        let request = SaveRequest {
            state_path: &state_path,
            memory_path: &memory_path,
            kind: SnapshotKind::Full,
            state: state.clone(),
            memory: &VecPageReader::new(vec![7; 10]),
            ram_size: 10,
            memory_page_size: 10,
            dirty: None,
        };
        let options = SaveOptions { metadata: metadata.clone(), position: position.clone(), ..SaveOptions::default() };
        save_with(request, options).unwrap();
        prop_assert_eq!(&load(&state_path).unwrap().state, &state);
        let opened = open(&Native, &state_path, None).unwrap();
        prop_assert_eq!((opened.body.metadata, opened.body.position), (metadata, position));
        // As a document of JSON it is the same machine.
        let document = serde_json::to_string(&state).unwrap();
        let request = SaveRequest {
            state_path: &state_path,
            memory_path: &memory_path,
            kind: SnapshotKind::Full,
            state: Contents::Document(document),
            memory: &VecPageReader::new(vec![7; 10]),
            ram_size: 10,
            memory_page_size: 10,
            dirty: None,
        };
        save(request).unwrap();
        prop_assert_eq!(load(&state_path).unwrap().state, state);
    }

    #[test]
    fn what_is_put_together_is_the_memory(
        ram in 1..3_000_000_u64,
        page in prop::sample::select(vec![0_u64, 1, 700, 4096, 16384, 1 << 20, 1_500_000]),
        bitmap in prop::sample::select(vec![256_u64, 4096, 1 << 16, 1 << 21]),
        dirtied in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..40),
        seed in any::<u32>(),
    ) {
        let place = Place::new();
        // None given: all of memory is one page. Single bytes are for small memories.
        let ram = if page == 1 { ram % 5000 + 1 } else { ram };
        let page = if page == 0 || page > ram { ram } else { page };
        let mut memory = noise(ram, u64::from(seed));
        memory[ram as usize / 3..ram as usize / 2].fill(0);
        let base = place.save("base", &memory, page, None);
        let zeros = memory.chunks(page as usize).filter(|page| page.iter().all(|byte| *byte == 0)).count() as u64;
        prop_assert_eq!(base.pages_written, ram.div_ceil(page) - zeros);
        let dirty = DirtyBitmap::new(0, ram, bitmap).unwrap();
        let mut written = BTreeSet::new();
        for (index, is_zero) in dirtied {
            let at = index.index(ram as usize);
            memory[at] = if is_zero { 0 } else { memory[at].wrapping_add(1) };
            dirty.set_dirty(at as u64);
            // Every page that shares a byte with the bitmap's.
            let first = at as u64 / bitmap * bitmap;
            written.extend(first / page..(first + bitmap).min(ram).div_ceil(page));
        }
        let diff = place.save_onto("diff", &memory, page, Some(&dirty), Some(base.id)).unwrap();
        prop_assert_eq!(diff.pages_written, written.len() as u64);
        let (state_path, memory_path) = place.pair("out");
        let request = RebaseRequest {
            base: &place.at("base.snap"),
            diffs: &[place.at("diff.snap")],
            state_path: &state_path,
            memory_path: &memory_path,
        };
        rebase(&Native, &request).unwrap();
        prop_assert!(fs::read(memory_path).unwrap() == memory);
        prop_assert_eq!(verify(&Native, &state_path, None).unwrap().damaged, vec![]);
    }
}
