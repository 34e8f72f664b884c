//! Which bytes of a loaded image an engine patches: the slots of its imports.
//!
//! From a file that tells an executable's imports: `image_base`, and `import_libraries[].imports[]` with `address` (a number, or hex in
//! quotes) and `record_type`: 0 is a variable of 4 bytes, 1 a thunk of 16; others take no room.

use std::ops::Range;

use super::document::{Document, Shape, Value};

/// The import slots of an image.
#[derive(Clone, Debug, Default)]
pub struct Imports {
    /// Where the image is loaded, if the file says so.
    pub base: Option<u64>,
    /// Addresses, sorted and joined where they touch.
    slots: Vec<Range<u64>>,
    /// How many there are, as listed.
    pub listed: u64,
}

/// What is wrong with such a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct ImportsFault {
    /// Where in the file.
    pub path: String,
    pub reason: String,
}

/// Slots that do not lie inside an image as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outside {
    /// Some bytes of them lie inside.
    pub straddling: u64,
    /// None does.
    pub beyond: u64,
}

impl Imports {
    /// Reads them from a document.
    ///
    /// # Errors
    /// The first value that cannot be what stands there.
    pub fn read(document: &Document) -> Result<Imports, ImportsFault> {
        let root = document.root();
        let fault = |path: String, reason: &str| ImportsFault { path, reason: reason.to_owned() };
        if root.shape != Shape::Object {
            return Err(fault("the file".to_owned(), "is no object"));
        }
        let mut imports = Imports::default();
        if let Some(base) = document.get(root, "image_base") {
            let base = document.address(base).ok_or_else(|| fault("image_base".to_owned(), NO_ADDRESS))?;
            imports.base = Some(base);
        }
        let list = |of: Value, key: &str, path: &str| match document.get(of, key) {
            None => Ok(Vec::new()),
            Some(list) if list.shape == Shape::Array => Ok(document.elements(list).collect()),
            Some(_) => Err(fault(format!("{path}{key}"), "is no array")),
        };
        for (library, one) in list(root, "import_libraries", "")?.into_iter().enumerate() {
            let path = format!("import_libraries[{library}].");
            for (at, import) in list(one, "imports", &path)?.into_iter().enumerate() {
                let path = format!("{path}imports[{at}]");
                let address = document.get(import, "address").and_then(|address| document.address(address));
                let address = address.ok_or_else(|| fault(format!("{path}.address"), NO_ADDRESS))?;
                let kind = document.get(import, "record_type").filter(|kind| kind.shape == Shape::Number);
                let kind = kind.ok_or_else(|| fault(format!("{path}.record_type"), "is no number"))?;
                let bytes = match document.address(kind) {
                    Some(0) => 4,
                    Some(1) => 16,
                    _ => continue,
                };
                let end = address
                    .checked_add(bytes)
                    .ok_or_else(|| fault(format!("{path}.address"), "leads beyond 64 bits"))?;
                imports.listed += 1;
                imports.slots.push(address..end);
            }
        }
        imports.slots.sort_by_key(|slot| slot.start);
        imports.slots.dedup_by(|next, slot| {
            let touches = next.start <= slot.end;
            slot.end = if touches { slot.end.max(next.end) } else { slot.end };
            touches
        });
        Ok(imports)
    }

    /// The slots, sorted and apart from each other.
    pub fn slots(&self) -> &[Range<u64>] {
        &self.slots
    }

    /// The slots as far as they lie in an image of these addresses, from its first byte; and how many do not.
    pub fn within(&self, image: Range<u64>) -> (Vec<Range<u64>>, Outside) {
        let mut outside = Outside::default();
        let mut within = Vec::new();
        for slot in &self.slots {
            let inside = slot.start.max(image.start)..slot.end.min(image.end);
            match inside.is_empty() {
                true => outside.beyond += 1,
                false => {
                    outside.straddling += u64::from(inside != *slot);
                    within.push(inside.start - image.start..inside.end - image.start);
                }
            }
        }
        (within, outside)
    }
}

const NO_ADDRESS: &str = "is no address; write a number, or hex as \"0x82000000\"";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Imports, ImportsFault> {
        Imports::read(&Document::parse(text.as_bytes().to_vec()).unwrap())
    }

    #[test]
    fn slots_are_variables_and_thunks_and_nothing_else() {
        let imports = read(
            r#"{"image_base":"0x1000","import_libraries":[{"imports":[{"address":4096,"record_type":0},{"address":"0x1010","record_type":1},
            {"address":4128,"record_type":2},{"address":4116,"record_type":1.0}]},{"imports":[{"address":4094,"record_type":0}]},{}]}"#,
        )
        .unwrap();
        assert_eq!((imports.base, imports.listed), (Some(4096), 4));
        assert_eq!(imports.slots(), [4094..4100, 4112..4132]);
        assert_eq!(imports.within(4096..4120), (vec![0..4, 16..24], Outside { straddling: 2, beyond: 0 }));
        assert_eq!(imports.within(0..10), (vec![], Outside { straddling: 0, beyond: 2 }));
    }

    #[test]
    fn what_is_no_address_is_told_with_its_place() {
        let import = |import: &str| format!(r#"{{"import_libraries":[{{"imports":[{import}]}}]}}"#);
        for (text, path) in [
            (import(r#"{"address":-1,"record_type":0}"#), "import_libraries[0].imports[0].address"),
            (import(r#"{"address":"82000000","record_type":0}"#), "import_libraries[0].imports[0].address"),
            (import(r#"{"address":18446744073709551615,"record_type":1}"#), "import_libraries[0].imports[0].address"),
            (import(r#"{"address":1,"record_type":"x"}"#), "import_libraries[0].imports[0].record_type"),
            (import(r#"{"record_type":1}"#), "import_libraries[0].imports[0].address"),
            (import("7"), "import_libraries[0].imports[0].address"),
            (r#"{"image_base":[]}"#.to_owned(), "image_base"),
            (r#"{"import_libraries":{}}"#.to_owned(), "import_libraries"),
            ("[]".to_owned(), "the file"),
        ] {
            assert_eq!(read(&text).unwrap_err().path, path, "{text}");
        }
        assert_eq!(read(&import(r#"{"address":1,"record_type":-7}"#)).unwrap().slots(), []);
    }
}
