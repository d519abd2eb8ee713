//! The admin agent: posts over TLS, runs what it is sent, posts the results (Amendment B §3.4, §3.5).
//!
//! [`Agent::receive`] takes bytes from the channel, [`Agent::take_outgoing`] returns bytes for the channel. Once
//! [`Agent::end`] is set, the session is over when the last bytes are sent. It must never depend on the proactive
//! commands that carry these bytes.

mod http;
mod scripts;
pub(super) mod tls;

use http::{Request, Response, ResponseReader, ScriptStatus};
use openssl::error::ErrorStack;
use scripts::{Scripts, Verdict};
use tls::{Tls, TlsEnd};

use super::core::Core;
use crate::observer::{Event, SessionEnd};

/// Most TLS records that are read from one block of ciphertext.
const MAX_RECORDS_PER_BLOCK: usize = 256;
/// Most exchanges of one session.
const MAX_EXCHANGES: u32 = 10_000;
/// Longest URI the chip keeps, in bytes.
const MAX_URI_BYTES: usize = 256;

/// One administration session.
pub(super) struct Agent {
    tls: Tls,
    reader: ResponseReader,
    scripts: Scripts,
    uri: String,
    exchanges: u32,
    end: Option<SessionEnd>,
}

impl Agent {
    /// Starts a session with a TLS client hello. It resumes the last session if that was interrupted.
    ///
    /// # Errors
    /// [`ErrorStack`] when TLS cannot be set up.
    pub(super) fn start(core: &Core) -> Result<Self, ErrorStack> {
        let mut tls = Tls::new(&core.card)?;
        // This makes the client hello; an error is returned again with the first received bytes.
        let _ = tls.handshake();
        Ok(Self {
            tls,
            reader: ResponseReader::default(),
            scripts: Scripts::default(),
            uri: String::new(),
            exchanges: 0,
            end: None,
        })
    }

    /// Returns why the session is over, once it is.
    #[must_use]
    pub(super) const fn end(&self) -> Option<&SessionEnd> {
        self.end.as_ref()
    }

    /// Ends the session because of the link or the inactivity timer.
    pub(super) fn stop(&mut self, why: SessionEnd) {
        self.end.get_or_insert(why);
    }

    /// Tells whether there are bytes to send.
    #[must_use]
    pub(super) fn has_outgoing(&self) -> bool {
        self.tls.has_ciphertext()
    }

    /// Takes up to `limit` bytes to send.
    pub(super) fn take_outgoing(&mut self, limit: usize) -> Vec<u8> {
        self.tls.take_ciphertext(limit)
    }

    /// Qualifier of the REFRESH that a script of this session ordered, if any.
    #[must_use]
    pub(super) const fn ordered_refresh(&self) -> Option<u8> {
        self.scripts.refresh
    }

    /// Tells whether a script was run in this session.
    #[must_use]
    pub(super) const fn ran_scripts(&self) -> bool {
        self.scripts.ran
    }

    /// Processes bytes from the channel.
    pub(super) fn receive(&mut self, core: &mut Core, ciphertext: &[u8]) {
        if self.end.is_some() {
            return;
        }
        if let Err(end) = self.advance(core, ciphertext) {
            self.finish(end);
        }
    }

    fn advance(&mut self, core: &mut Core, ciphertext: &[u8]) -> Result<(), SessionEnd> {
        self.tls.push(ciphertext).map_err(tls_end)?;
        if let Some(agreed) = self.tls.handshake().map_err(tls_end)? {
            core.nvm.failed_attempts = 0;
            core.tls = Some(agreed);
            core.record(|| Event::TlsEstablished {
                version: agreed.version,
                suite: agreed.suite,
            });
            let (uri, resume) = match core.nvm.resume_uri.clone() {
                Some(uri) => (uri, true),
                None => (core.card.uri.clone(), false),
            };
            self.post(
                core,
                Request {
                    uri,
                    resume,
                    status: None,
                    body: None,
                },
            )?;
        }
        if !self.tls.is_established() {
            return Ok(());
        }
        for _ in 0..MAX_RECORDS_PER_BLOCK {
            let Some(record) = self.tls.read_record().map_err(tls_end)? else {
                break;
            };
            let joins = core.card.joins_heads;
            let whole = self.reader.push(&record, joins);
            if let Some(response) = whole.map_err(|error| SessionEnd::Malformed(error.to_string()))? {
                self.answer(core, &response)?;
            }
        }
        Ok(())
    }

    /// Processes a response of the server (Amendment B §3.4.2).
    fn answer(&mut self, core: &mut Core, response: &Response) -> Result<(), SessionEnd> {
        core.record(|| Event::Answer {
            status: response.status,
            body_bytes: response.body.len(),
            next_uri: response.next_uri.clone(),
        });
        let next = response.next_uri.clone();
        match response.status {
            200 if !response.protocol_known => {
                Err(SessionEnd::Malformed("unknown X-Admin-Protocol".to_owned()))
            }
            200 => {
                let verdict = self.scripts.handle(core, response);
                if core.power_lost {
                    return Err(SessionEnd::PowerLost);
                }
                match next {
                    Some(uri) => self.post(core, result_of(uri, verdict)),
                    None => {
                        core.nvm.resume_uri = None;
                        Err(SessionEnd::NoResultWanted)
                    }
                }
            }
            204 => match next {
                Some(uri) => self.post(
                    core,
                    Request {
                        uri,
                        resume: false,
                        status: None,
                        body: None,
                    },
                ),
                None => {
                    core.nvm.resume_uri = None;
                    Err(SessionEnd::Finished)
                }
            },
            status => {
                if status < 500 {
                    core.nvm.resume_uri = None;
                }
                Err(SessionEnd::Refused(status))
            }
        }
    }

    fn post(&mut self, core: &mut Core, request: Request) -> Result<(), SessionEnd> {
        self.exchanges += 1;
        if request.uri.len() > MAX_URI_BYTES || !request.uri.bytes().all(|byte| matches!(byte, 0x21..=0x7E)) {
            return Err(SessionEnd::Malformed("unusable next URI".to_owned()));
        }
        if self.exchanges > MAX_EXCHANGES {
            return Err(SessionEnd::Malformed("a session without end".to_owned()));
        }
        core.record(|| Event::Request {
            uri: request.uri.clone(),
            resume: request.resume,
            script_status: request.status.map(ScriptStatus::as_str),
            body_bytes: request.body.as_ref().map_or(0, |(_, body)| body.len()),
        });
        let bytes = request.encode(&core.card);
        self.uri = request.uri;
        // From here on an interrupted session resumes at this URI: either its script was never run, or it was
        // and its results are posted to this URI.
        core.nvm.resume_uri = Some(self.uri.clone());
        self.tls.write(&bytes).map_err(tls_end)
    }

    fn finish(&mut self, end: SessionEnd) {
        if end != SessionEnd::PowerLost {
            self.tls.close();
        }
        self.end = Some(end);
    }
}

fn result_of(uri: String, verdict: Verdict) -> Request {
    match verdict {
        Verdict::Ran { media_type, response } => Request {
            uri,
            resume: false,
            status: Some(ScriptStatus::Ok),
            body: Some((media_type, response)),
        },
        Verdict::Refused(status) => Request {
            uri,
            resume: false,
            status: Some(status),
            body: None,
        },
    }
}

fn tls_end(end: TlsEnd) -> SessionEnd {
    match end {
        TlsEnd::Closed => SessionEnd::LinkLost,
        TlsEnd::Failed(why) => SessionEnd::Security(why),
    }
}
