//! Backups that somebody changed who can encrypt them again.

use std::fs;
use std::io::{Read as _, Write as _};
use std::iter;
use std::path::{Path, PathBuf};

use age::x25519::Identity;

use super::Platform;

/// Bytes that are encrypted for somebody.
pub(crate) fn encrypted(plain: &[u8], to: &Identity) -> Vec<u8> {
    let recipient = to.to_public();
    let encryptor = age::Encryptor::with_recipients(iter::once(&recipient as &dyn age::Recipient)).unwrap();
    let mut out = Vec::new();
    let mut writer = encryptor.wrap_output(&mut out).unwrap();
    writer.write_all(plain).unwrap();
    writer.finish().unwrap();
    out
}

/// The archive in a backup.
pub(crate) fn plain(platform: &Platform, file: &Path) -> Vec<u8> {
    let decryptor = age::Decryptor::new(fs::File::open(file).unwrap()).unwrap();
    let identity = &platform.identity as &dyn age::Identity;
    let mut out = Vec::new();
    decryptor
        .decrypt(iter::once(identity))
        .unwrap()
        .read_to_end(&mut out)
        .unwrap();
    out
}

/// A backup with these members besides its manifest, of which `change` changed some in a folder.
pub(crate) fn changed(
    platform: &Platform,
    file: &Path,
    members: &[&str],
    change: impl FnOnce(&Path),
) -> PathBuf {
    let folder = platform.path("forged");
    let bytes = plain(platform, file);
    tar::Archive::new(&bytes[..]).unpack(&folder).unwrap();
    change(&folder);
    let mut archive = tar::Builder::new(Vec::new());
    for name in iter::once(&"manifest.json").chain(members) {
        archive.append_path_with_name(folder.join(name), name).unwrap();
    }
    fs::remove_dir_all(folder).unwrap();
    let out = platform.path("forged.age");
    fs::write(
        &out,
        encrypted(&archive.into_inner().unwrap(), &platform.identity),
    )
    .unwrap();
    out
}
