//! A batch is made: its rows are stored, and carried out from then on.

use sha2::{Digest as _, Sha256};

use super::file::{FileRow, read_file};
use super::list::{BatchView, view};
use crate::act_note::ActNote;
use crate::clients::receives;
use crate::{Context, StaffMember, transaction};
use domain::error::{Error, Reason};
use domain::{BatchId, BatchKind, BatchState, ClientId};
use store::{
    Database, Tx,
    batch::{self, BatchRow, NewBatchRow},
    batch_row::{self, NewRow, bound_to},
};
use vault::random_bytes;

/// Most rows that one statement adds.
const MAX_ROWS_TOGETHER: usize = 1_000;
/// Who makes a batch that no member of staff does.
const PLATFORM: [&str; 3] = ["platform", "", ""];

/// A batch that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct NewBatch<'a> {
    /// By which a repeated request is recognised.
    pub key: &'a str,
    /// What is done to each row.
    pub kind: BatchKind,
    /// For which client: whose applications, or to whom numbers are allotted.
    pub client: Option<&'a ClientId>,
    /// Who acts and why.
    pub note: Option<ActNote<'a>>,
    /// Whether a row for which the pool has no number is refused instead of waiting for one.
    pub fail_when_exhausted: bool,
}

/// A batch that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedBatch {
    /// The batch.
    pub batch: BatchView,
    /// False when the same request was made before.
    pub is_new: bool,
}

impl NewBatch<'_> {
    /// Whether what is given fits the kind, and the member of staff may do it.
    pub(super) fn check(&self, member: &StaffMember) -> Result<(), Error> {
        let kind = self.kind;
        let fits = [
            ("client_id", self.client.is_some(), kind.needs_client()),
            ("person", self.note.is_some(), kind.needs_note()),
        ];
        for (field, is_given, is_needed) in fits {
            match (is_given, is_needed) {
                (false, true) => return Err(Error::new(Reason::ParameterMissing).with_field(field)),
                (true, false) => return Err(Error::new(Reason::ParameterNotApplicable).with_field(field)),
                _ => (),
            }
        }
        if self.fail_when_exhausted && kind != BatchKind::Apply {
            return Err(Error::new(Reason::ParameterNotApplicable).with_field("fail_when_exhausted"));
        }
        may(member, kind)
    }

    /// SHA-256 of the whole request.
    fn digest(&self, file: &[u8]) -> Result<[u8; 32], Error> {
        let note = self.note.map(|note| [note.person, note.text]);
        let head = (
            self.kind.code(),
            self.client.map(ClientId::as_str),
            note,
            self.fail_when_exhausted,
        );
        let mut digest = Sha256::new();
        digest.update(serde_json::to_vec(&head).map_err(Error::internal)?);
        digest.update(file);
        Ok(digest.finalize().into())
    }
}

/// Whether a member of staff may do what a batch does.
pub(super) fn may(member: &StaffMember, kind: BatchKind) -> Result<(), Error> {
    let right = kind.right();
    match member.may(right) {
        true => Ok(()),
        false => Err(Error::new(Reason::RightMissing).with_detail(right.code(), right.code())),
    }
}

/// Makes a batch of the rows of a file. Rows that cannot be read are refused at once; the others are carried out by the
/// periodic work. Repeating the request, by its key, answers with the same batch as it is by then.
///
/// # Errors
/// [`Reason::ParameterMissing`], [`Reason::ParameterNotApplicable`]; [`Reason::RightMissing`] without the right to do the
/// same to one row; [`Reason::BadCsv`], [`Reason::BodyTooLarge`] for a file that cannot be read;
/// [`Reason::UnknownClient`], [`Reason::ClientClosed`]; [`Reason::BatchKeyTaken`] when the key belongs to a batch of other
/// content.
pub async fn create_batch<D: Database>(
    cx: &Context<'_, D>,
    member: &StaffMember,
    new: &NewBatch<'_>,
    file: &[u8],
) -> Result<CreatedBatch, Error> {
    new.check(member)?;
    let digest = new.digest(file)?;
    // This look takes no lock, and spares a repeated request the reading.
    if let Some(batch) = batch::by_key(cx.db, new.key).await? {
        return repeated(cx, &batch, &digest);
    }
    let id = BatchId::new(cx.now, random_bytes(cx.random));
    let rows = sealed(cx, id, read_file(new.kind, file)?)?;
    let refused = rows.iter().filter(|row| row.refused.is_some()).count();
    transaction(cx, async |tx| {
        if let Some(batch) = batch::by_key(tx, new.key).await? {
            return repeated(cx, &batch, &digest);
        }
        if let Some(client) = new.client {
            receives(tx, client).await?;
        }
        let batch = stored(cx, tx, (id, new, &digest), &rows, refused).await?;
        cx.note_object("batch_id", &id.text());
        cx.note_result("rows", rows.len() as u64);
        cx.note_result("refused", refused as u64);
        Ok(CreatedBatch {
            batch: view(cx, batch),
            is_new: true,
        })
    })
    .await
}

fn repeated<D>(cx: &Context<'_, D>, batch: &BatchRow, digest: &[u8; 32]) -> Result<CreatedBatch, Error> {
    let id = batch.id.text();
    let stored = cx
        .vault
        .open(batch::CONTENT, id.as_bytes(), &batch.content_sealed)?;
    if stored[..] != digest[..] {
        return Err(Error::new(Reason::BatchKeyTaken).with_field("key"));
    }
    Ok(CreatedBatch {
        batch: view(cx, batch.clone()),
        is_new: false,
    })
}

/// Stores a batch with its rows.
async fn stored<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    (id, new, digest): (BatchId, &NewBatch<'_>, &[u8; 32]),
    rows: &[NewRow],
    refused: usize,
) -> Result<BatchRow, Error> {
    let text = id.text();
    let [who, address, request_id] = cx.act.map_or(PLATFORM, |act| act.origin());
    let note = new
        .note
        .map(|note| note.sealed_for(cx, [batch::PERSON, batch::NOTE], text.as_bytes()));
    let row = NewBatchRow {
        id,
        key: new.key,
        content_sealed: cx
            .vault
            .seal(cx.random, batch::CONTENT, text.as_bytes(), digest)?,
        kind: new.kind,
        client_id: new.client,
        fail_when_exhausted: new.fail_when_exhausted,
        who,
        address,
        request_id,
        sealed_note: note.transpose()?,
        state: match refused == rows.len() {
            true => BatchState::Done,
            false => BatchState::Running,
        },
        rows: rows.len() as u64,
        refused: refused as u64,
    };
    batch::insert(tx, row, cx.now).await?;
    for rows in rows.chunks(MAX_ROWS_TOGETHER) {
        batch_row::insert(tx, id, rows, cx.now).await?;
    }
    let batch = batch::by_id(tx, id).await?;
    batch.ok_or_else(|| Error::internal("a batch that was just made"))
}

fn sealed<D>(cx: &Context<'_, D>, id: BatchId, rows: Vec<FileRow>) -> Result<Vec<NewRow>, Error> {
    let seal = |FileRow { line, content }: FileRow| {
        let row = bound_to(id, line);
        Ok(match content {
            Ok(content) => NewRow {
                line,
                province: content.province.map_or("", |province| province.code()).to_owned(),
                content_sealed: Some(cx.vault.seal(
                    cx.random,
                    batch_row::CONTENT,
                    &row,
                    content.identifiers().as_bytes(),
                )?),
                refused: None,
            },
            Err(error) => NewRow {
                line,
                province: String::new(),
                content_sealed: None,
                refused: Some(error.reason.code()),
            },
        })
    };
    rows.into_iter().map(seal).collect()
}
