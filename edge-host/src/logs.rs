//! The output of components, line by line.
//!
//! Never reads or changes what a component writes, apart from cutting over-long lines.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use anyhow::Context as _;
use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// A longer line is delivered in pieces of this many bytes.
const MAX_LINE_BYTES: usize = 64 * 1024;

/// The most a component may write in one call, in bytes.
const WRITE_PERMIT_BYTES: usize = 64 * 1024;

/// Which of its two outputs a component wrote to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Output {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Receives one line without its line feed: component, output, text.
pub type LogSink = Arc<dyn Fn(&str, Output, &str) + Send + Sync>;

/// Where the components' output goes.
#[derive(Clone, Default)]
pub enum Logs {
    /// To this process's stderr, each line after the component's name.
    #[default]
    Stderr,
    /// To `<component>_stdout.txt` and `<component>_stderr.txt` in this folder, as `spin up --log-dir`
    /// does. Files are appended to, and created when missing.
    Files(PathBuf),
    /// To a function of the embedder. It runs on the component's thread and must not block for long.
    Sink(LogSink),
}

impl Logs {
    /// Opens the sink for the given components, with their files where files are asked for.
    ///
    /// # Errors
    /// The folder or a file cannot be created.
    pub(crate) fn open<'a>(&self, components: impl Iterator<Item = &'a str>) -> anyhow::Result<LogSink> {
        Ok(match self {
            Self::Stderr => Arc::new(|component, _, line| {
                // A closed stderr must not stop the service.
                let _ = writeln!(std::io::stderr().lock(), "{component}: {line}");
            }),
            Self::Files(folder) => file_sink(folder, components)?,
            Self::Sink(sink) => sink.clone(),
        })
    }
}

fn file_sink<'a>(folder: &Path, components: impl Iterator<Item = &'a str>) -> anyhow::Result<LogSink> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the log folder {}", folder.display()))?;
    let mut files: HashMap<(String, Output), Mutex<File>> = HashMap::new();
    for component in components {
        for (output, name) in [(Output::Stdout, "stdout"), (Output::Stderr, "stderr")] {
            let path = folder.join(format!("{component}_{name}.txt"));
            let file = OpenOptions::new()
                .create(true)
                .append(true)
                .open(&path)
                .with_context(|| format!("cannot open the log file {}", path.display()))?;
            files.insert((component.to_owned(), output), Mutex::new(file));
        }
    }
    Ok(Arc::new(move |component, output, line| {
        if let Some(file) = files.get(&(component.to_owned(), output)) {
            // A full disk must not stop the service.
            let _ = writeln!(file.lock().unwrap_or_else(PoisonError::into_inner), "{line}");
        }
    }))
}

/// One output of one instance; every stream made from it shares the unfinished line.
#[derive(Clone)]
pub(crate) struct LineStream(Arc<Mutex<LineBuffer>>);

struct LineBuffer {
    component: Arc<str>,
    output: Output,
    sink: LogSink,
    unfinished: Vec<u8>,
}

impl LineStream {
    pub(crate) fn new(component: Arc<str>, output: Output, sink: LogSink) -> Self {
        Self(Arc::new(Mutex::new(LineBuffer {
            component,
            output,
            sink,
            unfinished: Vec::new(),
        })))
    }

    fn push(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
    }
}

impl LineBuffer {
    fn push(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.unfinished.extend_from_slice(piece);
            if self.unfinished.last() == Some(&b'\n') || self.unfinished.len() >= MAX_LINE_BYTES {
                self.deliver();
            }
        }
    }

    fn deliver(&mut self) {
        let line = self.unfinished.strip_suffix(b"\n").unwrap_or(&self.unfinished);
        (self.sink)(&self.component, self.output, &String::from_utf8_lossy(line));
        self.unfinished.clear();
    }
}

impl Drop for LineBuffer {
    fn drop(&mut self) {
        if !self.unfinished.is_empty() {
            self.deliver();
        }
    }
}

impl IsTerminal for LineStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LineStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for LineStream {
    async fn ready(&mut self) {}
}

impl OutputStream for LineStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_PERMIT_BYTES)
    }
}

impl AsyncWrite for LineStream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_arrives_line_by_line_and_the_unfinished_rest_at_the_end() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink: LogSink = Arc::new({
            let seen = seen.clone();
            move |component, output, line| {
                seen.lock()
                    .unwrap()
                    .push((component.to_owned(), output, line.to_owned()));
            }
        });
        let stream = LineStream::new("token".into(), Output::Stdout, sink);
        stream.push(b"one\ntw");
        stream.clone().push(b"o\nrest");
        drop(stream);
        let lines: Vec<_> = seen
            .lock()
            .unwrap()
            .iter()
            .map(|(_, _, line)| line.clone())
            .collect();
        assert_eq!(lines, ["one", "two", "rest"]);
    }
}
