//! `meta.json`: what the episode is of, and in the end what came of it. Replaced whole each time.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::about::{code_version, host_fingerprint};
use super::error::EpisodeError;
use super::folder::{Folder, META};
use super::rows::Fields;
use super::schedule::Schedule;
use crate::disk;

/// The version of the folder's form.
pub const SCHEMA_VERSION: u64 = 1;

/// What the caller knows of an episode.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    /// Whatever is to be kept, under `metadata`.
    pub metadata: Fields,
    /// Members of `vm`: `image_name`, `image_sha256`, `vcpus`, `ram_mib`, others.
    pub vm: Fields,
    /// What was fired, if anything.
    pub exploit: Option<Value>,
    /// What was run, if it is one of a collection.
    pub sample: Option<Value>,
    /// The folder of the code.
    pub code: PathBuf,
}

impl About {
    /// Takes what a JSON object says: `vm`, `exploit` and `sample` as such, everything else as metadata.
    ///
    /// # Errors
    /// It is no object, or its `vm` is none.
    pub fn take(&mut self, value: Value) -> Result<(), String> {
        let Value::Object(members) = value else { return Err("a JSON object is wanted".to_owned()) };
        for (key, value) in members {
            match (key.as_str(), value) {
                ("vm", Value::Object(members)) => self.vm.extend(members),
                ("vm", _) => return Err("vm is no object".to_owned()),
                ("exploit", value) => self.exploit = Some(value),
                ("sample", value) => self.sample = Some(value),
                (_, value) => drop(self.metadata.insert(key, value)),
            }
        }
        Ok(())
    }
}

/// The document.
#[derive(Debug)]
pub struct Meta {
    path: PathBuf,
    members: Map<String, Value>,
}

impl Meta {
    /// What is known before anything has happened.
    pub fn begin(
        folder: &Folder,
        about: &About,
        schedule: &Schedule,
        snapshot: Option<&str>,
        interval: Option<Duration>,
    ) -> Meta {
        let mut vm = Map::new();
        for key in ["image_name", "image_sha256", "vcpus", "ram_mib", "target_pid"] {
            vm.insert(key.to_owned(), Value::Null);
        }
        vm.extend(about.vm.clone());
        vm.insert("snapshot_name".to_owned(), json!(snapshot));
        let members = [
            ("episode_id", json!(folder.id())),
            ("schema_version", json!(SCHEMA_VERSION)),
            ("recorder", json!(concat!("forkpoint ", env!("CARGO_PKG_VERSION")))),
            ("code_version", code_version(&about.code)),
            ("started_at_wall", json!(now())),
            ("ended_at_wall", Value::Null),
            ("host_fingerprint", host_fingerprint()),
            ("vm", Value::Object(vm)),
            ("exploit", about.exploit.clone().unwrap_or_default()),
            ("sample", about.sample.clone().unwrap_or_default()),
            ("metadata", Value::Object(about.metadata.clone())),
            (
                "schedule",
                json!({
                    "baseline_seconds": schedule.time().map(|time| time.as_secs_f64()),
                    "interval_ms": interval.map(|interval| interval.as_secs_f64() * 1000.0),
                    "phase_schedule": schedule.to_json(),
                }),
            ),
            ("target", Value::Null),
            ("result", Value::Null),
        ];
        let members = members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        Meta { path: folder.file(META), members }
    }

    /// Gives a member a value, below others where its name has dots.
    pub fn set(&mut self, name: &str, value: Value) {
        let mut names = name.split('.');
        let last = names.next_back().unwrap_or(name);
        let mut at = &mut self.members;
        for name in names {
            let below = at.entry(name).or_insert_with(|| json!({}));
            if !below.is_object() {
                *below = json!({});
            }
            let Value::Object(members) = below else { return };
            at = members;
        }
        at.insert(last.to_owned(), value);
    }

    /// Says that it has ended, and what came of it.
    pub fn end(&mut self, result: Value) {
        self.set("ended_at_wall", json!(now()));
        self.set("result", result);
    }

    /// Writes it, whole, to the disk.
    ///
    /// # Errors
    /// It could not be written; what was there before is there still.
    pub fn write(&self) -> Result<(), EpisodeError> {
        let failed = |error: serde_json::Error| EpisodeError::File { path: self.path.clone(), error: error.into() };
        let mut text = serde_json::to_vec_pretty(&self.members).map_err(failed)?;
        text.push(b'\n');
        disk::write_whole(&self.path, &text)
            .map_err(|error| EpisodeError::File { path: error.path, error: error.error })
    }
}

/// The host's time, in RFC 3339.
fn now() -> String {
    jiff::Timestamp::now().to_string()
}
