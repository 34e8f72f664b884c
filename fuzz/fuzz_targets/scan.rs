//! Layouts and moulds open a window's lines as the exact way does, faults included; what they know beyond it is so. Where a
//! window begins does not matter.
#![no_main]

use forkpoint::json::Width;
use forkpoint::profile::{Reading, StrictReader};
use forkpoint::scan::{Opener, ScanOptions, ScannedWindow, Span, scan_window};
use forkpoint::source::Window;
use forkpoint_fuzz::{apart, profile};
use libfuzzer_sys::fuzz_target;

/// The spans of a window without the flag that only the fast way sets.
fn spans(scanned: &ScannedWindow) -> Vec<Span> {
    let of = |index| Span { flags: scanned.spans.flags(index) & !Span::HEAD_STRICT, ..scanned.spans.span(index) };
    (0..scanned.spans.len()).map(of).collect()
}

/// The lines of a window's events, thread by thread, and what is said of its faults.
fn said(window: &Window, scanned: &ScannedWindow) -> (Vec<Vec<u8>>, Vec<String>) {
    let lines = (0..scanned.spans.len()).map(|index| scanned.spans.span(index).line_of(&window.bytes).to_vec());
    let faults = scanned.faults.iter().chain(&scanned.torn).map(|fault| fault.fault.reason.to_string());
    (lines.collect(), faults.collect())
}

fuzz_target!(|data: &[u8]| {
    let (_, choice) = apart(data);
    let profile = profile(choice);
    let opener = Opener::new(&profile, choice & 0x40 != 0);
    let window = Window { offset: u64::from(choice & 0x20 != 0), bytes: data.to_vec().into(), overlong: None };
    // Lines are opened, or read whole as `check` does.
    let (step_over_faults, strict) = (choice & 0x10 == 0, choice & 0x08 != 0);
    let options = ScanOptions { step_over_faults, strict, ..ScanOptions::default() };
    let plain = opener.clone().without_layouts();
    let exact = scan_window(&plain, &window, 0, options);
    if let Some(from) = data.iter().position(|byte| *byte == b'\n').map(|feed| feed + 1) {
        let later = Window { offset: from as u64, bytes: data[from..].to_vec().into(), overlong: None };
        let (inside, alone) = (scan_window(&plain, &window, from, options), scan_window(&plain, &later, 0, options));
        assert_eq!(said(&window, &inside), said(&later, &alone), "from byte {from} on");
    }
    // What one turn learns the next one uses.
    for width in [Width::Plain, Width::Best, Width::Plain, Width::Best] {
        let fast = scan_window(&opener, &window, 0, ScanOptions { width, ..options });
        assert_eq!((fast.lines, fast.events, &fast.torn), (exact.lines, exact.events, &exact.torn), "{width:?}");
        assert_eq!((&fast.groups, &fast.faults), (&exact.groups, &exact.faults), "{width:?}");
        assert_eq!(spans(&fast), spans(&exact), "{width:?}");
        for span in (0..fast.spans.len()).map(|index| fast.spans.span(index)).filter(|span| span.has(Span::HEAD_STRICT))
        {
            // A head is strict if the line is with any value in the payload's place.
            let line = span.line_of(&window.bytes);
            let probe = [&line[..span.tail.start as usize], b"0}"].concat();
            assert!(StrictReader::new(&profile).check(&probe, &mut Reading::default()).is_ok(), "a head");
        }
    }
});
