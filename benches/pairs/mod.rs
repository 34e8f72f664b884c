//! Pairs of logs in memory, what is true of them, and how they are compared.
#![allow(dead_code)] // every bench uses its own part

// Not everything the generator offers is used here.
#[allow(dead_code, unused_imports)]
#[path = "../../examples/generate/mod.rs"]
pub mod generate;

use std::path::{Path, PathBuf};
use std::process::Command;

use forkpoint::profile::{Overrides, Profile, builtin};
use generate::lane::Side;
use generate::{Options, Pair};
use serde_json::Value;

/// Both logs and the truth about them.
pub struct Made {
    pub reference: Vec<u8>,
    pub candidate: Vec<u8>,
    pub truth: Value,
    pub profile: Profile,
}

impl Made {
    pub fn bytes(&self) -> u64 {
        (self.reference.len() + self.candidate.len()) as u64
    }

    /// Events of the reference.
    pub fn events(&self) -> u64 {
        self.truth["reference"]["events"].as_u64().expect("a number")
    }

    /// Holds a JSON report against the truth: every thread paired rightly, parting where it does.
    pub fn hold(&self, report: &str) {
        let report: Value = serde_json::from_str(report).expect("a report");
        let pairings = report["pairings"].as_array().expect("pairings");
        let threads = self.truth["threads"].as_array().expect("threads");
        assert_eq!(pairings.len(), threads.len(), "every thread is paired");
        for pairing in pairings {
            let told = |thread: &&Value| {
                ["tid", "generation"].iter().all(|key| thread["reference"][key] == pairing["reference"][key])
            };
            let thread = threads.iter().find(told).expect("a thread of the story");
            assert_eq!(thread["candidate"]["tid"], pairing["candidate"]["tid"], "paired rightly");
            let place = |divergence: &Value| (divergence["position"].clone(), divergence["kind"].clone());
            assert_eq!(place(&thread["divergence"]), place(&pairing["divergence"]), "{thread:#}");
        }
    }
}

/// Makes a pair.
pub fn make(options: Options) -> Made {
    let profile = profile(&options);
    let pair = Pair::new(options).expect("a plan");
    let log = |side| {
        let mut bytes = Vec::new();
        let put = |piece: &[u8]| {
            bytes.extend_from_slice(piece);
            Ok(())
        };
        let written = pair.replay(side, put).expect("no write fails");
        (bytes, written)
    };
    let (reference, candidate) = (log(Side::Reference), log(Side::Candidate));
    let truth = pair.truth(&reference.1, &candidate.1);
    Made { reference: reference.0, candidate: candidate.0, truth, profile }
}

/// The rules that such a pair is compared under: what its flags ask for.
pub fn profile(options: &Options) -> Profile {
    let mut overrides = Overrides::default();
    let mut name = "schema-v1";
    for flag in options.flags().chunks(2) {
        let value = flag[1].to_owned();
        match flag[0] {
            "--profile" => name = flag[1],
            "--thread" => overrides.thread.push(value),
            "--ordinal" => overrides.ordinal = Some(value),
            "--kind" => overrides.kind = Some(value),
            "--ignore" => overrides.ignore.push(value),
            "--mask" => overrides.mask.push(value),
            other => panic!("no flag {other}"),
        }
    }
    overrides.apply(builtin(name).expect("a profile of that name")).expect("paths that are paths")
}

/// A log packed by a tool, beside it; none, and said so, if the tool is missing.
pub fn packed(tool: &str, log: &Path) -> Option<PathBuf> {
    let to = log.with_extension(tool);
    let file = std::fs::File::create(&to).expect("a file");
    let done = Command::new(tool).args(["-1", "-q", "-c"]).arg(log).stdout(file).status();
    if done.is_ok_and(|status| status.success()) {
        return Some(to);
    }
    println!("skipped: {tool} is missing");
    None
}
