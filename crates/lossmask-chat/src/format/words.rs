//! Texts with places for fields, as Python's `str.format` writes them: `{name}`, `{name!r:>20}`, `{{`.

use serde_json::Value;

use super::python;

/// A text, taken apart.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pattern {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Literal(String),
    Field { name: String, repr: Option<char>, layout: Option<Layout> },
}

/// What follows the colon: `[[fill]align][width][.precision]`.
#[derive(Clone, Debug, PartialEq)]
struct Layout {
    fill: char,
    align: char,
    width: usize,
    precision: Option<usize>,
}

impl Pattern {
    /// Takes a text apart; what Python's `str.format` could take from a field's insides is refused.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                literal.push_str(brace);
                rest = after;
                continue;
            }
            if brace == "}" {
                return Err("a single `}`: write `}}` for the character".to_owned());
            }
            let end = rest.find('}').ok_or("a `{` without its `}`: write `{{` for the character")?;
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(field(&rest[..end])?);
            rest = &rest[end + 1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Pattern { parts })
    }

    /// The fields it names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Field { name, .. } => Some(name.as_str()),
        })
    }

    /// Appends the text to `out`.
    pub(super) fn write<'v>(&self, out: &mut String, value: impl Fn(&str) -> Option<&'v Value>) -> Result<(), String> {
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Field { name, repr, layout } => {
                    let value = value(name).ok_or_else(|| format!("`{{{name}}}` is no field of this text"))?;
                    let text = match repr {
                        Some('r') => python::repr(value),
                        Some('a') => python::ascii(value),
                        _ if layout.is_some() && !value.is_string() && repr.is_none() => {
                            return Err(format!("`{name}` is no string, and the format lays it out as one"));
                        }
                        _ => python::text(value),
                    };
                    match layout {
                        None => out.push_str(&text),
                        Some(layout) => layout.write(out, &text),
                    }
                }
            }
        }
        Ok(())
    }
}

fn field(text: &str) -> Result<Part, String> {
    let (head, layout) = match text.split_once(':') {
        Some((head, layout)) => (head, Some(layout)),
        None => (text, None),
    };
    let (name, repr) = match head.split_once('!') {
        Some((name, "r")) => (name, Some('r')),
        Some((name, "s")) => (name, Some('s')),
        Some((name, "a")) => (name, Some('a')),
        Some((_, other)) => return Err(format!("`!{other}` is no conversion: r, s or a")),
        None => (head, None),
    };
    let plain = |c: char| c.is_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(plain) || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(format!("`{{{text}}}`: only plain {{name}} placeholders may be used; write `{{{{` for a brace"));
    }
    let layout = layout.filter(|layout| !layout.is_empty()).map(Layout::parse).transpose()?;
    Ok(Part::Field { name: name.to_owned(), repr, layout })
}

impl Layout {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`:{text}` is no layout of a text, such as `:>20`");
        let chars: Vec<char> = text.chars().collect();
        let aligns = |at: usize| chars.get(at).is_some_and(|c| "<>^".contains(*c));
        let (fill, align, rest) = match () {
            () if aligns(1) => (chars[0], chars[1], &chars[2..]),
            () if aligns(0) => (' ', chars[0], &chars[1..]),
            () => (' ', '<', &chars[..]),
        };
        let rest: String = rest.iter().collect();
        let rest = rest.strip_suffix('s').unwrap_or(&rest);
        let (width, precision) = match rest.split_once('.') {
            Some((width, precision)) => (width, Some(precision.parse().map_err(|_| wrong())?)),
            None => (rest, None),
        };
        let width = if width.is_empty() { 0 } else { width.parse().map_err(|_| wrong())? };
        if width > 10_000 {
            return Err(wrong());
        }
        Ok(Layout { fill, align, width, precision })
    }

    fn write(&self, out: &mut String, text: &str) {
        let text: String = text.chars().take(self.precision.unwrap_or(usize::MAX)).collect();
        let missing = self.width.saturating_sub(text.chars().count());
        let before = match self.align {
            '>' => missing,
            '^' => missing / 2,
            _ => 0,
        };
        out.extend(std::iter::repeat_n(self.fill, before));
        out.push_str(&text);
        out.extend(std::iter::repeat_n(self.fill, missing - before));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Pattern;

    #[test]
    fn texts_are_formatted_as_python_does() {
        let row = json!({"a": "xy", "n": 7, "none": null, "q": "it's", "u": "é"});
        let cases = [
            ("{a}", "xy"),
            ("{{{a}}}", "{xy}"),
            ("{n} {none}", "7 None"),
            ("[{a:>5}|{a:<5}|{a:^5}|{a:*^5}|{a:.1}]", "[   xy|xy   | xy  |*xy**|x]"),
            ("{q!r}", "\"it's\""),
            ("{u!a:>8}", "  '\\xe9'"),
            ("", ""),
        ];
        for (format, expected) in cases {
            let mut out = String::new();
            Pattern::parse(format).unwrap().write(&mut out, |name| row.get(name)).unwrap();
            assert_eq!(out, expected, "{format}");
        }
    }

    #[test]
    fn what_is_no_plain_placeholder_is_refused() {
        for format in ["{}", "{0}", "{a.upper}", "{a[0]}", "{a!x}", "{", "}", "{\"q\": 1}", "{a:zz}", "{a:>99999}"] {
            assert!(Pattern::parse(format).is_err(), "{format}");
        }
        let none = |_: &str| None::<&Value>;
        assert!(Pattern::parse("{a}").unwrap().write(&mut String::new(), none).is_err());
    }
}
