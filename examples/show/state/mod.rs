//! What is said of two state folders: large images with planted differences, large documents and what they take.

mod documents;
mod images;

use std::path::Path;

use super::{Hindered, Program, Room, Shown};
use crate::generate::options::parse_size;

#[derive(clap::Args)]
pub struct Asked {
    /// Bytes of each image; 0: none
    #[arg(long, default_value = "1G", value_parser = parse_size)]
    pub size: u64,
    /// Ranges in which the images differ
    #[arg(long, default_value_t = 1000)]
    pub ranges: u64,
    /// Import slots, which each engine patches its own way
    #[arg(long, default_value_t = 500)]
    pub slots: u64,
    /// Bytes of each large document; 0: none
    #[arg(long, default_value = "256M", value_parser = parse_size)]
    pub document: u64,
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
}

pub fn show(program: &Program, room: &Room, asked: &Asked) -> Shown {
    let mut wrong = Vec::new();
    if asked.size > 0 {
        wrong.extend(images::show(program, room, asked)?);
    }
    if asked.document > 0 {
        wrong.extend(documents::show(program, room, asked.document)?);
    }
    Ok(wrong)
}

/// Address of an image's first byte, where execution begins too.
const BASE: u64 = 0x8200_0000;

/// Writes the documents of a folder in which nothing differs and every invariant holds.
fn write_documents(folder: &Path, memory: &str) -> Result<(), Hindered> {
    let config =
        format!(r#"{{"xex_entry_point":{BASE},"iso_sha256":"{0}","image_loaded_sha256":"{0}"}}"#, "ab".repeat(32));
    let documents = [
        ("cpu_state.json", format!(r#"{{"pc":{BASE}}}"#)),
        ("memory.json", memory.to_owned()),
        ("kernel.json", "{}".to_owned()),
        ("vfs.json", "{}".to_owned()),
        ("config.json", config),
    ];
    for (name, text) in documents {
        std::fs::write(folder.join(name), text)?;
    }
    Ok(())
}
