//! What a row should have become.

use lossmask_chat::EncodedRow;
use serde_json::Value;

use crate::common::{ids, labels, labels_of_spans};
use crate::setup::Case;

/// The rows of a group: how many are as they should be, and which are not.
pub struct Tally {
    name: String,
    equal: usize,
    /// Refused on purpose, or less of it trained, where the peer passes over what the row says.
    refused: usize,
    absent: usize,
    wrong: Vec<String>,
}

/// One sequence of tokens with its labels.
#[derive(Debug, PartialEq)]
struct Sequence {
    ids: Vec<i32>,
    labels: Vec<i32>,
}

impl Tally {
    pub fn new(name: &str) -> Self {
        Tally { name: name.to_owned(), equal: 0, refused: 0, absent: 0, wrong: Vec::new() }
    }

    pub fn judge(&mut self, case: &Case) {
        let Some(encoder) = case.encoder() else {
            self.absent += 1;
            return;
        };
        let found = match encoder {
            Ok(encoder) => encoder.encode_all(&case.row).map_err(|error| format!("{}: {error}", error.code)),
            Err(error) => Err(format!("{}: {error}", error.code)),
        };
        let other = case.has_unknown_setting() || has_other_labels(case) || has_unknown_role(case);
        if found.is_err() && other || is_masked_further(case) {
            self.refused += 1;
            return;
        }
        match compare(case, found) {
            Ok(()) => self.equal += 1,
            Err(why) => self.wrong.push(format!("{} {} {}\n    {why}", case.id, case.kind, short(&case.row))),
        }
    }

    /// # Panics
    /// When a row is wrong, or fewer than `least` were judged.
    pub fn finish(self, least: usize) {
        let Tally { name, equal, refused, absent, .. } = &self;
        println!("{name}: {equal} rows equal, {refused} other on purpose, {absent} left out for want of a vocabulary");
        let shown = self.wrong.iter().take(12).cloned().collect::<Vec<_>>().join("\n");
        assert!(self.wrong.is_empty(), "{}: {} rows differ\n{shown}", self.name, self.wrong.len());
        assert!(self.equal + self.absent >= least, "{}: only {} rows were judged", self.name, self.equal);
    }
}

fn compare(case: &Case, found: Result<Vec<EncodedRow>, String>) -> Result<(), String> {
    let expected = expected(case);
    if let Some(error) = expected["error"].as_str().filter(|_| !reads_more(case)) {
        return match found {
            Err(_) => Ok(()),
            Ok(_) => Err(format!("it should be refused: {error}")),
        };
    }
    let mut found = found?;
    if expected["error"].is_string() {
        return Ok(());
    }
    if let Some(sequences) = expected["sequences"].as_array() {
        let expected: Vec<Sequence> = sequences.iter().map(sequence).collect();
        let found: Vec<Sequence> = found.iter().map(Sequence::of).collect();
        let differs = expected.iter().zip(&found).find(|(one, other)| one != other);
        return match differs {
            // axolotl cuts a text in silence after 64 chunks.
            None if expected.len() == found.len() || (expected.len() == 64 && found.len() > 64) => Ok(()),
            None => Err(format!("{} sequences, not {}", found.len(), expected.len())),
            Some((expected, found)) => Err(difference(expected, found)),
        };
    }
    let [found] = &mut found[..] else { return Err(format!("{} rows", found.len())) };
    let found = Sequence::of(found);
    if !expected["input_ids"].is_array() && case.source == "trl" {
        let kept = found.cut_as(case).labels.iter().any(|&label| label != -100);
        return if kept { Err("it should have no trained token".to_owned()) } else { Ok(()) };
    }
    let whole = sequence(&expected).attended(case);
    if case.source == "trl" {
        let found = found.cut_as(case);
        return if found == whole { Ok(()) } else { Err(difference(&whole, &found)) };
    }
    // axolotl cuts each part of a row, and its length filter then sees a row that is too long: so does ours, of the whole row.
    let long = found.ids.len() > case.sequence_len();
    let cut = whole.ids.len() == case.sequence_len() && found.ids.starts_with(&whole.ids);
    let (expected, found) = match expected["after_length_filter"].as_str() {
        Some("truncated") => (sequence(&expected["truncated"]), found.cut(case.sequence_len())),
        Some(_) if long => return Ok(()),
        _ if long && cut => return Ok(()),
        _ => (whole, found),
    };
    if found == expected {
        return Ok(());
    }
    Err(difference(&expected, &found))
}

/// Ready tokens are read without columns that axolotl asks for.
fn reads_more(case: &Case) -> bool {
    case.has_ready_tokens() && case.source == "axolotl" && case.kind.is_null()
}

/// A role that axolotl passes over with a warning.
fn has_unknown_role(case: &Case) -> bool {
    let roles = |list: &Vec<Value>| list.iter().any(|item| item["role"] == "narrator");
    case.kind == "pygmalion" && case.row["conversations"].as_array().is_some_and(roles)
}

/// A mask in the data that TRL leaves out of account unless it is told `completion_only_loss`.
fn is_masked_further(case: &Case) -> bool {
    case.row.get("completion_mask").is_some() && case.options["completion_only_loss"] != true
}

/// Labels that are neither -100 nor the token's id, which axolotl lets through.
fn has_other_labels(case: &Case) -> bool {
    let (Some(ids), Some(labels)) = (case.row["input_ids"].as_array(), case.row["labels"].as_array()) else {
        return false;
    };
    ids.iter().zip(labels).any(|(id, label)| label != -100 && id != label)
}

impl Sequence {
    fn of(row: &EncodedRow) -> Self {
        Sequence { labels: labels(row), ids: row.ids.clone() }
    }

    /// Without padding.
    fn attended(self, case: &Case) -> Self {
        let mask = if case.has_ready_tokens() { &case.row["attention_mask"] } else { &Value::Null };
        let Some(mask) = mask.as_array().filter(|mask| mask.last() == Some(&Value::from(0))) else {
            return self;
        };
        let len = mask.iter().rposition(|value| *value == 1).map_or(0, |last| last + 1);
        self.cut(len)
    }

    /// Cut as TRL's `max_length` and `truncation_mode` say.
    fn cut_as(self, case: &Case) -> Self {
        let len = case.options["max_length"].as_u64().unwrap_or(1024) as usize;
        match case.options["truncation_mode"].as_str() {
            Some("keep_end") => {
                let from = self.ids.len().saturating_sub(len);
                Sequence { ids: self.ids[from..].to_vec(), labels: self.labels[from..].to_vec() }
            }
            _ => self.cut(len),
        }
    }

    fn cut(mut self, len: usize) -> Self {
        self.ids.truncate(len);
        self.labels.truncate(len);
        self
    }
}

/// The record, with what is right in the place of what the peer does. Vocabularies are read as their files have them, not as
/// transformers rebuilds LlamaTokenizer's.
fn expected(case: &Case) -> Value {
    let mut record = case.record.clone();
    let fields = record.as_object_mut().unwrap();
    let rebuilt = case.record["literal_tokenizer_json"].as_object();
    fields.extend(rebuilt.cloned().unwrap_or_default());
    let right = case.record["right"].as_object().cloned().unwrap_or_default();
    match rebuilt {
        Some(_) if has_flag(case, "old_bos_inside") => without_inner_bos(fields),
        Some(_) => fields.extend(right.into_iter().filter(|(key, _)| key == "error")),
        None => fields.extend(right),
    }
    record
}

/// A BOS in front of the answer, taken out.
fn without_inner_bos(fields: &mut serde_json::Map<String, Value>) {
    let [start, end] = [0, 1].map(|side| fields["keep_spans"][0][side].as_u64().unwrap());
    fields["input_ids"].as_array_mut().unwrap().remove(start as usize);
    fields["keep_spans"] = serde_json::json!([[start, end - 1]]);
}

pub fn has_flag(case: &Case, flag: &str) -> bool {
    case.record["flags"].as_array().is_some_and(|flags| flags.iter().any(|it| it == flag))
}

fn sequence(value: &Value) -> Sequence {
    let all = ids(&value["input_ids"]);
    let labels =
        if value["labels"].is_array() { ids(&value["labels"]) } else { labels_of_spans(&all, &value["keep_spans"]) };
    Sequence { ids: all, labels }
}

/// Where two sequences part, in a few tokens.
fn difference(expected: &Sequence, found: &Sequence) -> String {
    let parts = |one: &[i32], other: &[i32]| one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let at = parts(&expected.ids, &found.ids);
    let near = |list: &[i32], at: usize| list[at.saturating_sub(3)..list.len().min(at + 8)].to_vec();
    let label = parts(&expected.labels, &found.labels);
    format!(
        "of {} and {} ids, at {at}: {:?} and not {:?}; labels at {label}: {:?} and not {:?}",
        expected.ids.len(),
        found.ids.len(),
        near(&expected.ids, at),
        near(&found.ids, at),
        near(&expected.labels, label),
        near(&found.labels, label),
    )
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(120).collect()
}
