//! Reads the XML of a workbook: tags with their attributes, and the text between them. A document with a type of its own
//! is refused, so that no entity can stand for more than one character.

use super::Refused;

/// What comes next in a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event<'a> {
    /// An element begins.
    Open(Tag<'a>),
    /// The element of this name ends.
    Close(&'a str),
    /// Text, with its entities.
    Text(&'a str),
}

/// The tag that begins an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    /// The name, without its prefix.
    pub(super) name: &'a str,
    attributes: &'a str,
}

impl<'a> Tag<'a> {
    /// An attribute, by its whole name.
    pub(super) fn attribute(&self, name: &str) -> Option<&'a str> {
        let mut rest = self.attributes;
        loop {
            let (found, after) = rest.split_once('=')?;
            let after = after.trim_start();
            let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            let (value, after) = after[1..].split_once(quote)?;
            if found.trim() == name {
                return Some(value);
            }
            rest = after;
        }
    }
}

/// The events of a document.
pub(super) struct Events<'a> {
    rest: &'a str,
    /// The end of an element that is empty.
    end: Option<&'a str>,
}

impl<'a> Events<'a> {
    /// The events of a document in UTF-8.
    pub(super) fn of(document: &'a [u8]) -> Result<Self, Refused> {
        let rest = std::str::from_utf8(document).map_err(|_| Refused::Unreadable)?;
        if rest.contains("<!DOCTYPE") {
            return Err(Refused::Unreadable);
        }
        Ok(Self { rest, end: None })
    }

    /// What stands before `mark`, which is passed too.
    fn until(&mut self, mark: &str) -> Option<&'a str> {
        let (before, after) = self.rest.split_once(mark)?;
        self.rest = after;
        Some(before)
    }

    /// The inside of a tag, whose attributes may have `>` in them.
    fn inside(&mut self) -> Option<&'a str> {
        let mut quote = None;
        let end = self.rest.find(|c: char| {
            match quote {
                Some(open) if open == c => quote = None,
                Some(_) => (),
                None if matches!(c, '"' | '\'') => quote = Some(c),
                None => return c == '>',
            }
            false
        })?;
        let inside = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        Some(inside)
    }
}

impl<'a> Iterator for Events<'a> {
    type Item = Event<'a>;

    /// The next event. A document that breaks off has no more.
    fn next(&mut self) -> Option<Event<'a>> {
        if let Some(name) = self.end.take() {
            return Some(Event::Close(name));
        }
        loop {
            if let Some(rest) = self.rest.strip_prefix("<!--") {
                self.rest = rest;
                self.until("-->")?;
            } else if let Some(rest) = self.rest.strip_prefix("<?") {
                self.rest = rest;
                self.until("?>")?;
            } else if let Some(rest) = self.rest.strip_prefix('<') {
                self.rest = rest;
                let inside = self.inside()?;
                if let Some(name) = inside.strip_prefix('/') {
                    return Some(Event::Close(local(name.trim())));
                }
                let is_empty = inside.ends_with('/');
                let inside = inside.trim_end_matches('/');
                let (name, attributes) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
                let name = local(name);
                self.end = is_empty.then_some(name);
                return Some(Event::Open(Tag { name, attributes }));
            } else {
                let text = &self.rest[..self.rest.find('<')?];
                self.rest = &self.rest[text.len()..];
                return Some(Event::Text(text));
            }
        }
    }
}

/// A name without its prefix.
fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// Adds a text to `out`, its entities as the characters that they stand for.
pub(super) fn unescape(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        rest = after;
        let entity = after
            .split_once(';')
            .and_then(|(name, behind)| Some((character(name)?, behind)));
        match entity {
            Some((character, behind)) => {
                out.push(character);
                rest = behind;
            }
            None => out.push('&'),
        }
    }
    out.push_str(rest);
}

fn character(entity: &str) -> Option<char> {
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Events, unescape};

    fn shown(document: &str) -> Vec<String> {
        let events = Events::of(document.as_bytes()).ok().unwrap();
        events
            .map(|event| match event {
                Event::Open(tag) => format!("<{} r={:?}", tag.name, tag.attribute("r")),
                Event::Close(name) => format!("/{name}"),
                Event::Text(text) => text.to_owned(),
            })
            .collect()
    }

    #[test]
    fn tags_attributes_and_texts_are_read() {
        let document = "<?xml version=\"1.0\"?><x:a xr='no' r=\"1>2\"><!-- <b> --><c/>t<c r = '' ></c></x:a>";
        assert_eq!(
            shown(document),
            [
                "<a r=Some(\"1>2\")",
                "<c r=None",
                "/c",
                "t",
                "<c r=Some(\"\")",
                "/c",
                "/a"
            ]
        );
        assert_eq!(shown("<a><b"), ["<a r=None"]);
        assert!(Events::of(b"<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>").is_err());
    }

    #[test]
    fn entities_are_single_characters() {
        let mut text = String::new();
        unescape("&lt;&#21345;&#x5361;&amp;lt; &other; &", &mut text);
        assert_eq!(text, "<卡卡&lt; &other; &");
    }
}
