//! REFRESH: the card's content changed, read it again (TS 102 223 §6.4.7, §8.6, §8.18).
//!
//! It must never list a file by less than its full path.

use crate::byte_enum::byte_enum;
use crate::ef::FilePath;
use crate::ident::Aid;
use crate::tlv::comprehension::Object;
use crate::{Error, Result};

use super::objects::{Objects, put_required};
use super::tag;

byte_enum! {
    /// Qualifier of REFRESH.
    pub enum RefreshMode {
        /// NAA initialisation and full file change notification.
        InitAndFullFileChange = 0x00,
        /// File change notification: needs a file list.
        FileChange = 0x01,
        /// NAA initialisation and file change notification.
        InitAndFileChange = 0x02,
        /// NAA initialisation.
        Init = 0x03,
        /// UICC reset: the terminal powers the card off and on.
        UiccReset = 0x04,
        /// NAA application reset.
        ApplicationReset = 0x05,
        /// NAA session reset.
        SessionReset = 0x06,
        /// Steering of roaming.
        SteeringOfRoaming = 0x07,
    }
}

/// What changed, and how the terminal reloads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refresh {
    /// Mode, coded in the command qualifier.
    pub mode: RefreshMode,
    /// Changed files, at most 255; required with file change modes, else empty.
    files: Vec<FilePath>,
    /// The application concerned, if not the default one.
    pub aid: Option<Aid>,
}

impl Refresh {
    /// Most files in one list.
    pub const MAX_FILES: usize = 255;

    /// A REFRESH that names no file.
    #[must_use]
    pub const fn of(mode: RefreshMode) -> Self {
        Self {
            mode,
            files: Vec::new(),
            aid: None,
        }
    }

    /// The same with a file list. Fails with more than [`Self::MAX_FILES`] files.
    pub fn with_files(mut self, files: impl Into<Vec<FilePath>>) -> Result<Self> {
        self.files = files.into();
        if self.files.len() > Self::MAX_FILES {
            return Err(Error::new(Self::MAX_FILES, "at most 255 files"));
        }
        Ok(self)
    }

    /// The files that changed.
    #[must_use]
    pub fn files(&self) -> &[FilePath] {
        &self.files
    }

    pub(super) fn read(qualifier: u8, objects: &Objects<'_>) -> Result<Self> {
        let mode = RefreshMode::from_byte(qualifier);
        let files = objects
            .find(tag::FILE_LIST)
            .map(read_files)
            .transpose()?
            .unwrap_or_default();
        let aid = objects
            .find(tag::AID)
            .map(|object| Aid::parse(object.value).map_err(|error| error.shifted(object.offset)))
            .transpose()?;
        Ok(Self { mode, files, aid })
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        if !self.files.is_empty() {
            // with_files() keeps the number within one byte.
            let mut list = vec![self.files.len() as u8];
            list.extend(self.files.iter().flat_map(FilePath::encode));
            put_required(out, tag::FILE_LIST, &list);
        }
        if let Some(aid) = &self.aid {
            put_required(out, tag::AID, aid.as_bytes());
        }
    }
}

/// A number and then as many full paths, each beginning with the MF.
fn read_files(object: &Object<'_>) -> Result<Vec<FilePath>> {
    let mut reader = object.reader();
    let announced = reader.u8("the number of files")?;
    let start = reader.offset();
    let bytes = reader.rest();
    let (fids, []) = bytes.as_chunks::<2>() else {
        return Err(Error::new(start, "file paths of two-byte identifiers"));
    };
    let mut files = Vec::new();
    let mut at = start;
    let paths = fids.chunk_by(|_, next| u16::from_be_bytes(*next) != FilePath::MF);
    for path in paths {
        files.push(FilePath::parse(path.as_flattened()).map_err(|error| error.shifted(at))?);
        at += path.len() * 2;
    }
    if files.len() == usize::from(announced) {
        Ok(files)
    } else {
        Err(Error::new(object.offset, "as many file paths as announced"))
    }
}
