//! `yaml.dump(value, default_flow_style=False)` as PyYAML 6 does it: sorted keys, lines folded at 80 columns, ASCII only.
//!
//! No YAML library of Rust folds and quotes as PyYAML does, and the text is what a model is trained to write.

use serde_json::Value;

use super::python;

const BEST_WIDTH: usize = 80;
const BREAKS: [char; 4] = ['\n', '\u{85}', '\u{2028}', '\u{2029}'];

/// The value as PyYAML writes it.
pub(super) fn dump(value: &Value) -> String {
    let mut emitter = Emitter { out: String::new(), column: 0, indent: None, whitespace: true, indention: true };
    let style = emitter.node(value, Place::Root);
    emitter.new_line();
    if style == Some(Style::Plain) {
        emitter.out.push_str("...\n");
    }
    emitter.out
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Root,
    Item,
    Value,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Style {
    Plain,
    Single,
    Double,
}

struct Emitter {
    out: String,
    column: usize,
    indent: Option<usize>,
    /// Whether what was written last is white space.
    whitespace: bool,
    /// Whether only indentation is on the line so far.
    indention: bool,
}

impl Emitter {
    /// Writes a value; the style is that of a scalar.
    fn node(&mut self, value: &Value, place: Place) -> Option<Style> {
        let before = self.indent;
        let style = match value {
            Value::Array(items) if items.is_empty() => {
                self.indicator("[]", true, false);
                None
            }
            Value::Object(entries) if entries.is_empty() => {
                self.indicator("{}", true, false);
                None
            }
            Value::Array(items) => {
                // A list in a mapping is not indented.
                if place != Place::Value || self.indention {
                    self.indent = Some(before.map_or(0, |indent| indent + 2));
                }
                for item in items {
                    self.new_line();
                    self.indicator("-", true, true);
                    self.node(item, Place::Item);
                }
                None
            }
            Value::Object(entries) => {
                self.indent = Some(before.map_or(0, |indent| indent + 2));
                let mut keys: Vec<&String> = entries.keys().collect();
                keys.sort();
                for key in keys {
                    self.new_line();
                    let inner = self.indent;
                    self.indent = inner.map(|indent| indent + 2);
                    self.text(key, true, true);
                    self.indent = inner;
                    self.indicator(":", false, false);
                    self.node(&entries[key], Place::Value);
                }
                None
            }
            scalar => {
                self.indent = Some(before.map_or(2, |indent| indent + 2));
                Some(match scalar {
                    Value::String(text) => self.text(text, !resolves(text), false),
                    Value::Null => self.text("null", true, false),
                    Value::Bool(value) => self.text(if *value { "true" } else { "false" }, true, false),
                    other => self.text(&number(other), true, false),
                })
            }
        };
        self.indent = before;
        style
    }

    fn text(&mut self, text: &str, plain: bool, key: bool) -> Style {
        let plain = plain && !(key && resolves(text));
        let chars: Vec<char> = text.chars().collect();
        let style = style_of(&chars, plain, key);
        match style {
            Style::Plain => self.plain(&chars, !key),
            Style::Single => self.single(&chars, !key),
            Style::Double => self.double(&chars, !key),
        }
        style
    }

    fn write(&mut self, chars: &[char]) {
        self.column += chars.len();
        self.out.extend(chars);
    }

    fn indicator(&mut self, text: &str, needs_space: bool, keeps_indention: bool) {
        if needs_space && !self.whitespace {
            self.write(&[' ']);
        }
        self.write(&text.chars().collect::<Vec<_>>());
        self.whitespace = false;
        self.indention = self.indention && keeps_indention;
    }

    fn line_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
        self.whitespace = true;
        self.indention = true;
    }

    /// PyYAML's `write_indent`: the line's start, unless it is there already.
    fn new_line(&mut self) {
        let indent = self.indent.unwrap_or(0);
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.line_break();
        }
        if self.column < indent {
            self.whitespace = true;
            self.write(&vec![' '; indent - self.column]);
        }
    }

    fn plain(&mut self, text: &[char], split: bool) {
        if text.is_empty() {
            return;
        }
        if !self.whitespace {
            self.write(&[' ']);
        }
        self.whitespace = false;
        self.indention = false;
        self.folded(text, split, Style::Plain);
    }

    fn single(&mut self, text: &[char], split: bool) {
        self.indicator("'", true, false);
        self.folded(text, split, Style::Single);
        self.indicator("'", false, false);
    }

    /// A text whose single spaces may become line ends; in quotes not its first and last one.
    fn folded(&mut self, text: &[char], split: bool, style: Style) {
        let mut start = 0;
        for run in text.chunk_by(|one, other| class(*one) == class(*other)) {
            let end = start + run.len();
            let edge = style == Style::Single && (start == 0 || end == text.len());
            match class(run[0]) {
                Class::Space if run.len() == 1 && self.column > BEST_WIDTH && split && !edge => {
                    self.new_line();
                    self.whitespace = false;
                    self.indention = false;
                }
                Class::Break => {
                    if run[0] == '\n' {
                        self.line_break();
                    }
                    run.iter().for_each(|_| self.line_break());
                    self.new_line();
                }
                _ => {
                    for c in run {
                        if *c == '\'' && style == Style::Single {
                            self.write(&['\'']);
                        }
                        self.write(&[*c]);
                    }
                }
            }
            start = end;
        }
    }

    fn double(&mut self, text: &[char], split: bool) {
        self.indicator("\"", true, false);
        let (mut start, mut end) = (0, 0);
        while end <= text.len() {
            let c = text.get(end).copied();
            if c.is_none_or(|c| matches!(c, '"' | '\\' | '\u{85}' | '\u{feff}') || !(' '..='~').contains(&c)) {
                if start < end {
                    self.write(&text[start..end]);
                    start = end;
                }
                if let Some(c) = c {
                    self.write(&escape(c).chars().collect::<Vec<_>>());
                    start = end + 1;
                }
            }
            let inside = end > 0 && end + 1 < text.len();
            let pending = end.saturating_sub(start);
            // PyYAML counts `end - start`, which is -1 right after an escape.
            let width = if start > end { self.column - 1 } else { self.column + pending };
            if inside && (c == Some(' ') || start >= end) && width > BEST_WIDTH && split {
                if start < end {
                    self.write(&text[start..end]);
                    start = end;
                }
                self.write(&['\\']);
                self.new_line();
                self.whitespace = false;
                self.indention = false;
                if text[start] == ' ' {
                    self.write(&['\\']);
                }
            }
            end += 1;
        }
        self.indicator("\"", false, false);
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Class {
    Space,
    Break,
    Other,
}

fn class(c: char) -> Class {
    match c {
        ' ' => Class::Space,
        c if BREAKS.contains(&c) => Class::Break,
        _ => Class::Other,
    }
}

fn escape(c: char) -> String {
    let short = match c {
        '\0' => '0',
        '\x07' => 'a',
        '\x08' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\x0b' => 'v',
        '\x0c' => 'f',
        '\r' => 'r',
        '\x1b' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        c => {
            return match c as u32 {
                code @ ..0x100 => format!("\\x{code:02X}"),
                code @ ..0x10000 => format!("\\u{code:04X}"),
                code => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{short}")
}

/// PyYAML's `choose_scalar_style`, outside of flow collections.
fn style_of(text: &[char], plain: bool, key: bool) -> Style {
    let is_break = |at: usize| text.get(at).is_some_and(|c| BREAKS.contains(c));
    let is_space = |at: usize| text.get(at) == Some(&' ');
    let ends = |at: usize| text.get(at).is_none_or(|c| matches!(c, '\0' | ' ' | '\t' | '\r') || BREAKS.contains(c));
    let last = text.len().wrapping_sub(1);
    let multiline = text.iter().any(|c| BREAKS.contains(c));
    let special = text.iter().any(|&c| c != '\n' && !(' '..='~').contains(&c));
    let pair = |test: &dyn Fn(usize) -> bool| (0..text.len()).any(test);
    let space_break = pair(&|at| is_space(at) && is_break(at + 1));
    let break_space = pair(&|at| is_break(at) && is_space(at + 1));
    let edge = [0, last].into_iter().any(|at| is_space(at) || is_break(at));
    let document = text.starts_with(&['-'; 3]) || text.starts_with(&['.'; 3]);
    let indicator = document
        || (0..text.len()).any(|at| match (at, text[at]) {
            (0, c) if "#,[]{}&*!|>'\"%@`".contains(c) => true,
            (0, '?' | ':' | '-') => ends(1),
            (0, _) => false,
            (at, ':') => ends(at + 1),
            (at, '#') => ends(at - 1),
            _ => false,
        });
    let simple_key = key && (text.is_empty() || multiline);
    let allows_plain = !(indicator || edge || break_space || space_break || special || multiline);
    if plain && !simple_key && (text.is_empty() || allows_plain) {
        return Style::Plain;
    }
    let allows_single = !(break_space || space_break || special);
    if allows_single && !(key && multiline) { Style::Single } else { Style::Double }
}

/// A number as PyYAML represents it.
fn number(value: &Value) -> String {
    let text = python::text(value);
    match text.as_str() {
        "nan" => ".nan".to_owned(),
        "inf" => ".inf".to_owned(),
        "-inf" => "-.inf".to_owned(),
        // 1e17 would be read as a string.
        _ if !text.contains('.') && text.contains('e') => text.replacen('e', ".0e", 1),
        _ => text,
    }
}

/// Whether a plain scalar of this text would be read as something else than a string.
fn resolves(text: &str) -> bool {
    const WORDS: [&str; 8] = ["yes", "no", "true", "false", "on", "off", "null", "~"];
    let titled = |word: &str| {
        let mut chars = word.chars();
        let first = chars.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(chars).collect::<String>()
    };
    let word = |word: &&str| text == *word || text == word.to_uppercase() || text == titled(word);
    text.is_empty() || text == "<<" || text == "=" || WORDS.iter().any(word) || is_number(text) || is_date(text)
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let all = |text: &str, test: &dyn Fn(char) -> bool| !text.is_empty() && text.chars().all(|c| c == '_' || test(c));
    let digits = |text: &str| text.starts_with(|c: char| c.is_ascii_digit()) && all(text, &|c| c.is_ascii_digit());
    let whole = |text: &str| text == "0" || (digits(text) && !text.starts_with('0'));
    let based =
        |prefix: &str, test: &dyn Fn(char) -> bool| unsigned.strip_prefix(prefix).is_some_and(|it| all(it, test));
    let sixties = |text: &str, first: &dyn Fn(&str) -> bool| {
        let mut parts = text.split(':');
        let small = |part: &str| matches!(part.len(), 1 | 2) && part.parse::<u8>().is_ok_and(|it| it < 60);
        parts.next().is_some_and(first) && text.contains(':') && parts.all(small)
    };
    let integer = based("0b", &|c| matches!(c, '0' | '1'))
        || based("0x", &|c| c.is_ascii_hexdigit())
        || based("0", &|c| ('0'..='7').contains(&c))
        || whole(unsigned)
        || (unsigned.starts_with(|c: char| ('1'..='9').contains(&c)) && sixties(unsigned, &digits));
    integer || is_float(text, unsigned, &digits, &|text| sixties(text, &digits))
}

fn is_float(text: &str, unsigned: &str, digits: &dyn Fn(&str) -> bool, sixties: &dyn Fn(&str) -> bool) -> bool {
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let signed = |exponent: &str| {
        exponent.strip_prefix(['-', '+']).is_some_and(|it| !it.is_empty() && it.bytes().all(|c| c.is_ascii_digit()))
    };
    let Some((before, after)) = mantissa.split_once('.') else { return false };
    let tail = after.chars().all(|c| c == '_' || c.is_ascii_digit());
    let exponent_fits = exponent.is_none_or(signed);
    let plain = tail && exponent_fits && digits(before);
    let pointed = before.is_empty() && text.starts_with('.') && digits(after) && exponent_fits;
    plain || pointed || (tail && exponent.is_none() && sixties(before))
}

/// `2024-01-31`, with or without a time.
fn is_date(text: &str) -> bool {
    let numbers = |text: &str, digits: std::ops::RangeInclusive<usize>| {
        digits.contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit())
    };
    let mut parts = text.splitn(3, '-');
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else { return false };
    if !numbers(year, 4..=4) || !numbers(month, 1..=2) {
        return false;
    }
    if numbers(rest, 2..=2) && month.len() == 2 {
        return true;
    }
    let Some(at) = rest.find(['T', 't', ' ', '\t']) else { return false };
    let time = rest[at + 1..].trim_start_matches([' ', '\t']);
    let time = time.find(['Z', '+', '-']).map_or(time, |zone| &time[..zone]).trim_end();
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut clock = clock.split(':');
    let hour = clock.next().is_some_and(|hour| numbers(hour, 1..=2));
    let rest_of_clock: Vec<&str> = clock.collect();
    numbers(&rest[..at], 1..=2)
        && hour
        && rest_of_clock.len() == 2
        && rest_of_clock.iter().all(|part| numbers(part, 2..=2))
        && fraction.bytes().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    /// What PyYAML 6.0.2 writes, recorded.
    #[test]
    fn values_are_dumped_as_pyyaml_does() {
        let cases: Vec<(Value, String)> = serde_json::from_str(include_str!("yaml_cases.json")).unwrap();
        for (value, expected) in cases {
            assert_eq!(super::dump(&value), expected, "{value}");
        }
    }
}
