//! A bitmap of dirty pages is a plain set of pages, whatever is done with it; what a save takes of it goes back or is kept.
#![no_main]

use std::collections::BTreeSet;
use std::path::Path;

use forkpoint::snapshot::body::Contents;
use forkpoint::snapshot::{DirtyBitmap, SaveRequest, SnapshotKind, VecPageReader, save};
use forkpoint_fuzz::drawn;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let draw = &mut drawn(data);
    let start = [0, 100, 1 << 40, u64::MAX - 5000][draw(4) as usize];
    let size = 1 + draw(256) * 16 + draw(16);
    let page = 1 << draw(13);
    let Ok(bitmap) = DirtyBitmap::new(start, size, page) else {
        assert!(start.checked_add(size).is_none());
        return;
    };
    let mut pages: BTreeSet<u64> = BTreeSet::new();
    let count = size.div_ceil(page);
    assert_eq!(bitmap.pages(), count);
    for _ in 0..data.len().min(200) / 3 {
        let at = draw(256) * 18 + draw(18);
        match draw(8) {
            0..=2 => {
                let is_new = at < size && pages.insert(at / page);
                assert_eq!(bitmap.set_dirty(start.saturating_add(at)), is_new && start.checked_add(at).is_some());
            }
            3 => {
                let index = at % (count + 2);
                assert_eq!(bitmap.set_dirty_by_index(index), index < count && pages.insert(index));
            }
            4 => {
                let is_in = at < size && pages.contains(&(at / page));
                assert_eq!(start.checked_add(at).is_some_and(|address| bitmap.is_dirty(address)), is_in);
            }
            5 => {
                let finer = DirtyBitmap::new(start, size, (page / 2).max(1)).expect("it is as sound");
                match bitmap.fold_into_finer(&finer) {
                    Ok(()) => {
                        let parts = page / finer.page_size();
                        let wanted = pages.iter().flat_map(|page| page * parts..(page + 1) * parts);
                        assert!(finer.drain().into_iter().eq(wanted.filter(|page| *page < finer.pages())));
                    }
                    Err(_) => assert_eq!(page, 1),
                }
            }
            6 => {
                assert!(bitmap.drain().into_iter().eq(std::mem::take(&mut pages)));
            }
            _ => {
                // A save that fails: nowhere to write to.
                let request = SaveRequest {
                    state_path: Path::new("/nowhere/at/all.snap"),
                    memory_path: Path::new("/nowhere/at/all.mem"),
                    kind: SnapshotKind::Diff,
                    state: Contents::Document(String::new()),
                    memory: &VecPageReader::new(Vec::new()),
                    ram_size: size,
                    memory_page_size: page.min(size),
                    dirty: Some(&bitmap),
                };
                assert!(save(request).is_err());
            }
        }
        assert_eq!(bitmap.count_dirty(), pages.len() as u64);
    }
    assert!(bitmap.drain().into_iter().eq(pages));
});
