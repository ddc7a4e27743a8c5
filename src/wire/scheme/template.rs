//! What is signed, as a text with placeholders.

/// A part of a request that may be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// The event's id.
    Id,
    /// When the request was signed, as it is written.
    Timestamp,
    /// The raw body.
    Body,
    /// The URL that the request was sent to, as the sender knows it.
    Url,
    /// The method, in capitals.
    Method,
}

impl Placeholder {
    /// Every placeholder by its name.
    pub const TABLE: [(&'static str, Placeholder); 5] = [
        ("id", Placeholder::Id),
        ("timestamp", Placeholder::Timestamp),
        ("body", Placeholder::Body),
        ("url", Placeholder::Url),
        ("method", Placeholder::Method),
    ];
}

/// One piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Part(Placeholder),
}

/// A text with placeholders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

/// A text that is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Nothing of that name can be signed.
    #[error("{{{0}}} is no placeholder")]
    Unknown(String),
    /// A brace without its other half.
    #[error("a brace without its other half")]
    Unpaired,
}

impl Template {
    /// Reads `"{id}.{timestamp}.{body}"`; `{{` and `}}` stand for braces.
    pub fn parse(text: &str) -> Result<Template, TemplateError> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            let (brace, behind) = (&rest[at..=at], &rest[at + 1..]);
            if let Some(behind) = behind.strip_prefix(brace) {
                literal.push_str(brace);
                rest = behind;
                continue;
            }
            let (name, behind) = match brace {
                "{" => behind.split_once('}').ok_or(TemplateError::Unpaired)?,
                _ => return Err(TemplateError::Unpaired),
            };
            let known = Placeholder::TABLE.iter().find(|(known, _)| *known == name);
            let (_, part) = known.ok_or_else(|| TemplateError::Unknown(name.to_owned()))?;
            if !literal.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut literal)));
            }
            pieces.push(Piece::Part(*part));
            rest = behind;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        Ok(Template(pieces))
    }

    /// Whether it has this part.
    #[must_use]
    pub fn has(&self, part: Placeholder) -> bool {
        self.0.contains(&Piece::Part(part))
    }

    /// Hands out what is signed, piece by piece.
    pub(super) fn each(&self, parts: &Parts<'_>, mut write: impl FnMut(&[u8])) {
        for piece in &self.0 {
            write(match piece {
                Piece::Text(text) => text.as_bytes(),
                Piece::Part(Placeholder::Id) => parts.id.as_bytes(),
                Piece::Part(Placeholder::Timestamp) => parts.timestamp.as_bytes(),
                Piece::Part(Placeholder::Body) => parts.body,
                Piece::Part(Placeholder::Url) => parts.url.as_bytes(),
                Piece::Part(Placeholder::Method) => parts.method.as_bytes(),
            });
        }
    }
}

impl std::fmt::Display for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => f.write_str(&text.replace('{', "{{").replace('}', "}}"))?,
                Piece::Part(part) => {
                    let name = Placeholder::TABLE.iter().find(|(_, known)| known == part).map_or("", |(name, _)| name);
                    write!(f, "{{{name}}}")?;
                }
            }
        }
        Ok(())
    }
}

/// What the placeholders stand for in one request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a> {
    pub id: &'a str,
    pub timestamp: &'a str,
    pub body: &'a [u8],
    pub url: &'a str,
    pub method: &'a str,
}
