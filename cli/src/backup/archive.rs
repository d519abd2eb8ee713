//! The file of a backup: a tar archive with the manifest first and the databases after it, encrypted by age for its
//! recipients. `age --decrypt` and `tar` open it, too.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use age::x25519::Recipient;
use age::{DecryptError, Decryptor, Encryptor, Identity, IdentityFile};
use anyhow::{Context as _, Result, anyhow, bail};

use super::manifest::{FORMAT, Manifest, POSTGRES, SQLITE};
use super::problem::Problem;
use crate::language::text;

/// Name of the manifest in the archive.
const MANIFEST: &str = "manifest.json";
/// Name of the state in the archive, and of its copy.
pub(super) const STATE: &str = "state.db";
/// Name of the call log in the archive, and of its copy.
pub(super) const CALLS: &str = "calls.db";
/// Name of the one database of PostgreSQL in the archive, and of its copy.
pub(super) const DUMP: &str = "state.dump";
/// Most bytes of a manifest: a table for each day of a hundred years.
const MAX_MANIFEST_BYTES: u64 = 8 << 20;
/// Most recipients of a backup.
const MAX_RECIPIENTS: usize = 16;

// The form of age (age-encryption.org/v1) and of tar, to tell a file that was cut from one that was changed.
const AGE_MAGIC: &[u8] = b"age-encryption.org/v1\n";
const AGE_HEADER_END: &[u8] = b"\n--- ";
const AGE_NONCE_BYTES: u64 = 16;
const AGE_CHUNK_BYTES: u64 = 64 << 10;
const AGE_TAG_BYTES: u64 = 16;
const TAR_BLOCK_BYTES: u64 = 512;

/// Reads whom a backup is for.
pub(super) fn recipients(texts: &[String]) -> Result<Vec<Recipient>> {
    if texts.len() > MAX_RECIPIENTS {
        bail!(text(
            format!("接收者最多 {MAX_RECIPIENTS} 个"),
            format!("there are at most {MAX_RECIPIENTS} recipients")
        ));
    }
    let read = |given: &String| {
        given.trim().parse::<Recipient>().map_err(|_| {
            anyhow!(text(
                format!("{given} 不是接收者公钥：应为 age1 开头的 X25519 公钥（age-keygen 输出的 public key）"),
                format!("{given} is no recipient: an X25519 key that begins with age1 is expected (public key of age-keygen)")
            ))
        })
    };
    texts.iter().map(read).collect()
}

/// Reads the keys of a file of age-keygen. No error shows a line of the file.
pub(super) fn identities(file: &Path) -> Result<Vec<Box<dyn Identity>>> {
    let name = file.display();
    let opened =
        File::open(file).with_context(|| text(format!("无法读取 {name}"), format!("cannot read {name}")))?;
    let read = IdentityFile::from_buffer(BufReader::new(opened)).ok();
    let keys = read
        .and_then(|keys| keys.into_identities().ok())
        .unwrap_or_default();
    if keys.is_empty() {
        bail!(text(
            format!("{name} 中没有可用的 age 密钥（AGE-SECRET-KEY-1…）"),
            format!("{name} has no usable age key (AGE-SECRET-KEY-1…)")
        ));
    }
    Ok(keys)
}

/// Writes a backup: the manifest, and the databases that are in `folder`.
pub(super) fn write(out: &File, recipients: &[Recipient], manifest: &[u8], folder: &Path) -> Result<()> {
    let recipients = recipients
        .iter()
        .map(|recipient| recipient as &dyn age::Recipient);
    let encrypted = Encryptor::with_recipients(recipients)?.wrap_output(BufWriter::new(out))?;
    let mut archive = tar::Builder::new(encrypted);
    archive.append_data(&mut header(manifest.len() as u64), MANIFEST, manifest)?;
    for name in [STATE, CALLS, DUMP] {
        let file = folder.join(name);
        if file.is_file() {
            let file = File::open(file)?;
            let bytes = file.metadata()?.len();
            archive.append_data(&mut header(bytes), name, file)?;
        }
    }
    archive.into_inner()?.finish()?.flush()?;
    Ok(())
}

fn header(bytes: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(0o600);
    header
}

/// Opens a backup, writes its databases into `folder` and returns its manifest.
///
/// # Errors
/// A [`Problem`]; another error when a file cannot be read or written.
pub(super) fn open(file: &Path, identities: &[Box<dyn Identity>], folder: &Path) -> Result<Manifest> {
    let name = file.display();
    let unread = || text(format!("无法读取 {name}"), format!("cannot read {name}"));
    let input = File::open(file).with_context(unread)?;
    let length = input.metadata().with_context(unread)?.len();
    let header_bytes = header_bytes(file).with_context(unread)?;
    let Some(header_bytes) = header_bytes else {
        bail!(Problem::NoBackup)
    };
    let decryptor = Decryptor::new(BufReader::new(input)).map_err(|error| match error {
        DecryptError::Io(error) if error.kind() == ErrorKind::UnexpectedEof => Problem::Cut,
        _ => Problem::Changed,
    })?;
    let opened = decryptor.decrypt(
        identities
            .iter()
            .map(|identity| identity.as_ref() as &dyn Identity),
    );
    let payload = opened.map_err(|error| match error {
        DecryptError::Io(error) if error.kind() == ErrorKind::UnexpectedEof => Problem::Cut,
        DecryptError::InvalidMac => Problem::Changed,
        _ => Problem::WrongIdentity,
    })?;
    let (mut payload, mut found) = (
        Payload {
            inner: payload,
            failed: None,
        },
        None,
    );
    let unpacked = unpack(&mut payload, folder, &mut found);
    match (unpacked, payload.failed, found) {
        (Ok(()), _, Some((manifest, _))) => Ok(manifest),
        (Err(Unpacked::Unwritten(error)), ..) => {
            let folder = folder.display();
            Err(error).with_context(|| format!("{folder}"))
        }
        (_, Some(ErrorKind::UnexpectedEof), _) => bail!(Problem::Cut),
        (_, Some(_), found) => {
            let whole = match &found {
                Some((manifest, bytes)) => header_bytes + encrypted_bytes(manifest, *bytes),
                // Every backup has more than one chunk.
                None => header_bytes + AGE_NONCE_BYTES + AGE_CHUNK_BYTES + AGE_TAG_BYTES,
            };
            bail!(if length < whole {
                Problem::Cut
            } else {
                Problem::Changed
            })
        }
        _ => bail!(Problem::NoBackup),
    }
}

/// What is decrypted, and why that failed: a reader of archives reports failures of both kinds alike.
struct Payload<R> {
    inner: R,
    failed: Option<ErrorKind>,
}

impl<R: Read> Read for Payload<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out);
        self.failed = read.as_ref().err().map(io::Error::kind).or(self.failed);
        read
    }
}

/// Bytes of the header of age; `None` if the file does not begin with one. All of them where the header has no end.
fn header_bytes(file: &Path) -> io::Result<Option<u64>> {
    let mut start = Vec::new();
    File::open(file)?.take(AGE_CHUNK_BYTES).read_to_end(&mut start)?;
    let common = start.len().min(AGE_MAGIC.len());
    if start[..common] != AGE_MAGIC[..common] || start.is_empty() {
        return Ok(None);
    }
    let find = |part: &[u8], bytes: &[u8]| bytes.windows(part.len()).position(|window| window == part);
    let end = find(AGE_HEADER_END, &start).and_then(|at| {
        let line = at + AGE_HEADER_END.len();
        find(b"\n", &start[line..]).map(|end| line + end + 1)
    });
    Ok(Some(end.unwrap_or(start.len()) as u64))
}

/// Bytes of a whole backup after the header of age.
fn encrypted_bytes(manifest: &Manifest, manifest_bytes: u64) -> u64 {
    let member = |bytes: u64| TAR_BLOCK_BYTES + bytes.next_multiple_of(TAR_BLOCK_BYTES);
    let calls = manifest.calls.as_ref().map_or(0, |calls| member(calls.bytes));
    let plain = member(manifest_bytes) + member(manifest.state.bytes) + calls + 2 * TAR_BLOCK_BYTES;
    AGE_NONCE_BYTES + plain + plain.div_ceil(AGE_CHUNK_BYTES) * AGE_TAG_BYTES
}

/// Why an archive was not unpacked.
enum Unpacked {
    /// A copy could not be written.
    Unwritten(io::Error),
    /// It could not be read, or is no backup.
    Unread,
}

impl From<io::Error> for Unpacked {
    fn from(_: io::Error) -> Self {
        Self::Unread
    }
}

/// Unpacks an archive to its end. The manifest, and its length in bytes, is in `found` even if the rest cannot be read.
fn unpack(
    payload: &mut impl Read,
    folder: &Path,
    found: &mut Option<(Manifest, u64)>,
) -> Result<(), Unpacked> {
    let mut archive = tar::Archive::new(&mut *payload);
    for member in archive.entries()? {
        let mut member = member?;
        let name = member.path()?.to_string_lossy().into_owned();
        match (name.as_str(), found.is_some()) {
            (MANIFEST, false) => {
                let mut content = Vec::new();
                member
                    .by_ref()
                    .take(MAX_MANIFEST_BYTES)
                    .read_to_end(&mut content)?;
                let read: Manifest = serde_json::from_slice(&content).map_err(|_| Unpacked::Unread)?;
                if read.format != FORMAT || ![SQLITE, POSTGRES].contains(&&*read.engine) {
                    return Err(Unpacked::Unread);
                }
                *found = Some((read, content.len() as u64));
            }
            (STATE | CALLS | DUMP, true) => copy(&mut member, &folder.join(name))?,
            _ => return Err(Unpacked::Unread),
        }
    }
    // The last chunk proves that the file is whole.
    io::copy(payload, &mut io::sink())?;
    Ok(())
}

/// Writes a member to a file, and tells failures of the two apart.
fn copy(member: &mut impl Read, to: &Path) -> Result<(), Unpacked> {
    let mut options = OpenOptions::new();
    let made = options.write(true).create_new(true).mode(0o600).open(to);
    let mut file = made.map_err(Unpacked::Unwritten)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match member.read(&mut buffer)? {
            0 => break,
            count => file.write_all(&buffer[..count]).map_err(Unpacked::Unwritten)?,
        }
    }
    file.sync_all().map_err(Unpacked::Unwritten)
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}
