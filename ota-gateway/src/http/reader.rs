//! A bounded reader of HTTP/1.1 requests: `Content-Length`, `chunked`, or no body (RFC 9112).
//!
//! Bytes go in as they arrive, whole requests come out; no input or output of its own. It must never keep
//! more than [`MAX_HEADER_BYTES`] of header and [`MAX_BODY_BYTES`] of body, and never guess where a
//! request ends: what is ambiguous is refused.

use super::error::HttpError;
use crate::settings::{MAX_BODY_BYTES, MAX_HEADER_BYTES};

/// Most header lines of a request.
const MAX_HEADERS: usize = 32;
/// Longest line of a chunk size with its extensions, in bytes.
const MAX_CHUNK_LINE_BYTES: usize = 128;
/// Most chunks of one body.
const MAX_CHUNKS: u32 = 4_096;

/// A request, read whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Request {
    /// Path and query of the request line.
    pub(crate) target: String,
    /// Header lines in order; names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body; none if the request announced none.
    pub(crate) body: Option<Vec<u8>>,
}

impl Request {
    /// The value of a header that may occur once. `name` is in lower case.
    ///
    /// # Errors
    /// [`HttpError::RepeatedHeader`].
    pub(crate) fn header(&self, name: &'static str) -> Result<Option<&str>, HttpError> {
        let mut values = self
            .headers
            .iter()
            .filter(|(other, _)| other == name)
            .map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(HttpError::RepeatedHeader(name)),
            (value, None) => Ok(value),
        }
    }
}

/// What the reader expects next.
#[derive(Debug, Default)]
enum Stage {
    #[default]
    Head,
    /// A body of known length; so many bytes of it are missing.
    Length(usize),
    ChunkSize,
    ChunkData(usize),
    ChunkEnd,
    Trailer(usize),
}

/// Reads requests one after another.
#[derive(Debug, Default)]
pub(crate) struct RequestReader {
    buffer: Vec<u8>,
    stage: Stage,
    request: Request,
    chunks: u32,
}

impl RequestReader {
    /// Adds bytes in the order of their arrival.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next request, or none while bytes are missing. After an error the connection is of no use.
    ///
    /// # Errors
    /// Every [`HttpError`] about framing, method, version and sizes.
    pub(crate) fn next_request(&mut self) -> Result<Option<Request>, HttpError> {
        // Each turn consumes bytes or changes the stage towards the end of the request.
        loop {
            let Some(complete) = self.advance()? else {
                return Ok(None);
            };
            if complete {
                self.stage = Stage::Head;
                return Ok(Some(std::mem::take(&mut self.request)));
            }
        }
    }

    /// One step: none if bytes are missing, else whether the request is complete.
    fn advance(&mut self) -> Result<Option<bool>, HttpError> {
        match self.stage {
            Stage::Head => self.read_head(),
            Stage::Length(missing) => Ok(self.move_to_body(missing).map(|missing| {
                self.stage = Stage::Length(missing);
                missing == 0
            })),
            Stage::ChunkSize => self.read_chunk_size(),
            Stage::ChunkData(missing) => Ok(self.move_to_body(missing).map(|missing| {
                self.stage = if missing == 0 {
                    Stage::ChunkEnd
                } else {
                    Stage::ChunkData(missing)
                };
                false
            })),
            Stage::ChunkEnd => self.read_chunk_end(),
            Stage::Trailer(read) => self.read_trailer(read),
        }
    }

    fn read_head(&mut self) -> Result<Option<bool>, HttpError> {
        let Some(end) = find(&self.buffer, b"\r\n\r\n") else {
            return if self.buffer.len() > MAX_HEADER_BYTES {
                Err(HttpError::HeaderTooLarge)
            } else {
                reject_early(&self.buffer)
            };
        };
        let end = end + 4;
        if end > MAX_HEADER_BYTES {
            return Err(HttpError::HeaderTooLarge);
        }
        let (request, body) = parse_head(&self.buffer[..end])?;
        self.request = request;
        self.buffer.drain(..end);
        self.chunks = 0;
        match body {
            BodyCoding::None => return Ok(Some(true)),
            BodyCoding::Length(length) => {
                self.request.body = Some(Vec::with_capacity(length));
                self.stage = Stage::Length(length);
                return Ok(Some(length == 0));
            }
            BodyCoding::Chunked => {
                self.request.body = Some(Vec::new());
                self.stage = Stage::ChunkSize;
            }
        }
        Ok(Some(false))
    }

    /// Moves bytes to the body; gives how many are still missing, none if no byte could be moved.
    fn move_to_body(&mut self, missing: usize) -> Option<usize> {
        let length = missing.min(self.buffer.len());
        if length == 0 {
            return None;
        }
        if let Some(body) = &mut self.request.body {
            body.extend(self.buffer.drain(..length));
        }
        Some(missing - length)
    }

    fn read_chunk_size(&mut self) -> Result<Option<bool>, HttpError> {
        let line = match find(&self.buffer, b"\r\n") {
            Some(end) if end <= MAX_CHUNK_LINE_BYTES => &self.buffer[..end + 2],
            None if self.buffer.len() <= MAX_CHUNK_LINE_BYTES + 1 => return Ok(None),
            _ => return Err(HttpError::BadChunk),
        };
        let Ok(httparse::Status::Complete((used, size))) = httparse::parse_chunk_size(line) else {
            return Err(HttpError::BadChunk);
        };
        let size = usize::try_from(size).map_err(|_| HttpError::BodyTooLarge)?;
        let read = self.request.body.as_ref().map_or(0, Vec::len);
        if size > MAX_BODY_BYTES - read.min(MAX_BODY_BYTES) {
            return Err(HttpError::BodyTooLarge);
        }
        self.chunks += 1;
        if self.chunks > MAX_CHUNKS {
            return Err(HttpError::BodyTooLarge);
        }
        self.buffer.drain(..used);
        self.stage = if size == 0 {
            Stage::Trailer(0)
        } else {
            Stage::ChunkData(size)
        };
        Ok(Some(false))
    }

    fn read_chunk_end(&mut self) -> Result<Option<bool>, HttpError> {
        match self.buffer.get(..2) {
            None => Ok(None),
            Some(b"\r\n") => {
                self.buffer.drain(..2);
                self.stage = Stage::ChunkSize;
                Ok(Some(false))
            }
            Some(_) => Err(HttpError::BadChunk),
        }
    }

    /// Skips trailer fields, line by line, up to the empty line.
    fn read_trailer(&mut self, read: usize) -> Result<Option<bool>, HttpError> {
        let Some(end) = find(&self.buffer, b"\r\n") else {
            return if read + self.buffer.len() > MAX_HEADER_BYTES {
                Err(HttpError::HeaderTooLarge)
            } else {
                Ok(None)
            };
        };
        if read + end > MAX_HEADER_BYTES {
            return Err(HttpError::HeaderTooLarge);
        }
        self.buffer.drain(..end + 2);
        self.stage = Stage::Trailer(read + end + 2);
        Ok(Some(end == 0))
    }
}

enum BodyCoding {
    None,
    Length(usize),
    Chunked,
}

/// Bytes that cannot become a request line are refused before more of them are waited for.
fn reject_early(buffer: &[u8]) -> Result<Option<bool>, HttpError> {
    match buffer.first() {
        Some(first) if !first.is_ascii_alphabetic() => Err(HttpError::Malformed),
        _ => Ok(None),
    }
}

fn parse_head(head: &[u8]) -> Result<(Request, BodyCoding), HttpError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    match parsed.parse(head) {
        Ok(httparse::Status::Complete(used)) if used == head.len() => {}
        Err(httparse::Error::TooManyHeaders) => return Err(HttpError::HeaderTooLarge),
        _ => return Err(HttpError::Malformed),
    }
    if parsed.version != Some(1) {
        return Err(HttpError::Version);
    }
    if parsed.method != Some("POST") {
        return Err(HttpError::Method);
    }
    let mut request = Request {
        target: parsed.path.unwrap_or_default().to_owned(),
        ..Request::default()
    };
    for header in parsed.headers.iter() {
        let value = std::str::from_utf8(header.value).map_err(|_| HttpError::Malformed)?;
        request
            .headers
            .push((header.name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let coding = body_coding(&request)?;
    Ok((request, coding))
}

fn body_coding(request: &Request) -> Result<BodyCoding, HttpError> {
    let length = request.header("content-length")?;
    match (request.header("transfer-encoding")?, length) {
        (Some(_), Some(_)) => Err(HttpError::Malformed),
        (Some(coding), None) if coding.eq_ignore_ascii_case("chunked") => Ok(BodyCoding::Chunked),
        (Some(_), None) => Err(HttpError::TransferCoding),
        (None, Some(length)) => {
            if length.is_empty() || !length.bytes().all(|digit| digit.is_ascii_digit()) {
                return Err(HttpError::Malformed);
            }
            match length.parse() {
                Ok(length) if length <= MAX_BODY_BYTES => Ok(BodyCoding::Length(length)),
                _ => Err(HttpError::BodyTooLarge),
            }
        }
        (None, None) => Ok(BodyCoding::None),
    }
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|window| window == pattern)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_all(bytes: &[u8], piece: usize) -> Result<Vec<Request>, HttpError> {
        let mut reader = RequestReader::default();
        let mut requests = Vec::new();
        for bytes in bytes.chunks(piece.max(1)) {
            reader.feed(bytes);
            while let Some(request) = reader.next_request()? {
                requests.push(request);
            }
        }
        Ok(requests)
    }

    fn post(headers: &str, body: &str) -> Vec<u8> {
        format!("POST /adminagent?s=1&n=2 HTTP/1.1\r\nHost: x\r\n{headers}\r\n{body}").into_bytes()
    }

    #[test]
    fn bodies_are_read_by_length_by_chunks_or_not_at_all_however_they_arrive() {
        let cases = [
            ("", "", None),
            ("Content-Length: 0\r\n", "", Some("")),
            ("Content-Length: 5\r\n", "hello", Some("hello")),
            ("Transfer-Encoding: chunked\r\n", "0\r\n\r\n", Some("")),
            (
                "Transfer-Encoding: CHUNKED\r\n",
                "2;name=value\r\nhe\r\n3\r\nllo\r\n0\r\nTrailer: x\r\n\r\n",
                Some("hello"),
            ),
        ];
        for (headers, body, expected) in cases {
            let request = post(headers, body);
            let twice = [request.clone(), request.clone()].concat();
            for piece in 1..=twice.len() {
                let requests = read_all(&twice, piece).unwrap();
                assert_eq!(requests.len(), 2, "{headers:?} in pieces of {piece}");
                assert_eq!(requests[1].body.as_deref(), expected.map(str::as_bytes));
                assert_eq!(requests[1].target, "/adminagent?s=1&n=2");
                assert_eq!(requests[1].header("host"), Ok(Some("x")));
            }
        }
    }

    #[test]
    fn every_fault_has_its_error() {
        let long = format!("X: {}\r\n", "x".repeat(MAX_HEADER_BYTES));
        let many = "X: x\r\n".repeat(MAX_HEADERS);
        let too_long = format!("Content-Length: {}\r\n", MAX_BODY_BYTES + 1);
        let too_long_chunk = format!("{:x}\r\n", MAX_BODY_BYTES + 1);
        let trailer = format!("0\r\n{}", "T: x\r\n".repeat(MAX_HEADER_BYTES / 6 + 1));
        let chunked = "Transfer-Encoding: chunked\r\n";
        let cases: [(Vec<u8>, HttpError); 19] = [
            (b"\x16\x03\x01garbage".to_vec(), HttpError::Malformed),
            (b"POST\r\n\r\n".to_vec(), HttpError::Malformed),
            (b"GET / HTTP/1.1\r\n\r\n".to_vec(), HttpError::Method),
            (b"POST / HTTP/1.0\r\n\r\n".to_vec(), HttpError::Version),
            (post(&long, ""), HttpError::HeaderTooLarge),
            (post(&many, ""), HttpError::HeaderTooLarge),
            (vec![b'A'; MAX_HEADER_BYTES + 1], HttpError::HeaderTooLarge),
            (post("Content-Length: -1\r\n", ""), HttpError::Malformed),
            (post("Content-Length: +1\r\n", ""), HttpError::Malformed),
            (
                post("Content-Length: 99999999999999999999999\r\n", ""),
                HttpError::BodyTooLarge,
            ),
            (post(&too_long, ""), HttpError::BodyTooLarge),
            (
                post("Content-Length: 1\r\nContent-Length: 1\r\n", "x"),
                HttpError::RepeatedHeader("content-length"),
            ),
            (
                post("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", ""),
                HttpError::Malformed,
            ),
            (post("Transfer-Encoding: gzip\r\n", ""), HttpError::TransferCoding),
            (post(chunked, "x\r\n"), HttpError::BadChunk),
            (post(chunked, "1\r\nxx\r\n"), HttpError::BadChunk),
            (
                post(chunked, &"1".repeat(MAX_CHUNK_LINE_BYTES + 2)),
                HttpError::BadChunk,
            ),
            (post(chunked, &too_long_chunk), HttpError::BodyTooLarge),
            (post(chunked, &trailer), HttpError::HeaderTooLarge),
        ];
        for (bytes, expected) in cases {
            let start = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
            assert_eq!(read_all(&bytes, bytes.len()), Err(expected.clone()), "{start:?}");
            assert_eq!(read_all(&bytes, 1), Err(expected), "{start:?} byte by byte");
        }
    }

    #[test]
    fn chunks_may_fill_a_body_of_64_kib_and_not_one_byte_more() {
        let body = |last: usize| {
            let chunks = [60_000, last].map(|bytes| format!("{bytes:x}\r\n{}\r\n", "x".repeat(bytes)));
            post("Transfer-Encoding: chunked\r\n", &(chunks.concat() + "0\r\n\r\n"))
        };
        let requests = read_all(&body(5_536), 4_096).unwrap();
        assert_eq!(requests[0].body.as_ref().map(Vec::len), Some(65_536));
        assert_eq!(read_all(&body(5_537), 4_096), Err(HttpError::BodyTooLarge));
    }

    #[test]
    fn a_body_of_countless_chunks_is_refused() {
        let body = "1\r\nx\r\n".repeat(MAX_CHUNKS as usize + 1);
        assert_eq!(
            read_all(&post("Transfer-Encoding: chunked\r\n", &body), 4_096),
            Err(HttpError::BodyTooLarge)
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000), piece in 1usize..200) {
            let _ = read_all(&bytes, piece);
        }

        #[test]
        fn a_damaged_request_never_makes_it_panic(at in 0usize..90, byte in any::<u8>(), piece in 1usize..90) {
            let mut request = post("Transfer-Encoding: chunked\r\n", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n");
            let at = at % request.len();
            request[at] = byte;
            let _ = read_all(&request, piece);
        }

        #[test]
        fn any_body_survives_chunking(body in prop::collection::vec(any::<u8>(), 0..3_000), chunk in 1usize..500, piece in 1usize..700) {
            let mut request = post("Transfer-Encoding: chunked\r\n", "");
            for bytes in body.chunks(chunk) {
                request.extend(format!("{:X}\r\n", bytes.len()).into_bytes());
                request.extend_from_slice(bytes);
                request.extend_from_slice(b"\r\n");
            }
            request.extend_from_slice(b"0\r\n\r\n");
            let requests = read_all(&request, piece).unwrap();
            prop_assert_eq!(requests[0].body.as_deref(), Some(&body[..]));
        }
    }
}
