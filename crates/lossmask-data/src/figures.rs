//! The report's figures: counted by the workers chunk by chunk, added up in the rows' order.

use std::collections::BTreeMap;
use std::sync::Arc;

use lossmask::{Diagnosis, Reason, Severity, Span, TokenKind, Turn};

use crate::report::{
    DiagnosisFigures, EndFigures, Lengths, Report, RoleFigures, Timing, TokenFigures, TruncationFigures,
};
use crate::row::{Row, status_name};
use crate::{DataError, Place};

/// Figures of some rows. Adding up keeps the order: what comes first stays first.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub rows_read: u64,
    rows_added: u64,
    rows_written: u64,
    dropped: BTreeMap<&'static str, u64>,
    rejected: BTreeMap<&'static str, u64>,
    tokens: u64,
    trained_tokens: u64,
    roles: BTreeMap<Arc<str>, Role>,
    kinds: Kinds,
    reasons: BTreeMap<Reason, u64>,
    without_trained: u64,
    fully_trained: u64,
    ends: EndFigures,
    unterminated: u64,
    pub truncation: TruncationFigures,
    statuses: BTreeMap<&'static str, u64>,
    diagnoses: BTreeMap<&'static str, Found>,
    first: BTreeMap<&'static str, Place>,
    shortest: Option<u64>,
    longest: u64,
    histogram: Vec<u64>,
    pub timing: Timing,
}

type Kinds = BTreeMap<TokenKind, TokenFigures>;

#[derive(Debug, Default)]
struct Role {
    turns: u64,
    trained_turns: u64,
    kinds: Kinds,
}

#[derive(Debug)]
struct Found {
    severity: Severity,
    count: u64,
    rows: u64,
    first: (Place, Diagnosis),
}

impl Figures {
    /// Counts a row that is written.
    pub fn keep(&mut self, row: &Row) {
        let (tokens, trained) = (row.ids.len() as u64, row.record.trained_count() as u64);
        self.rows_written += 1;
        self.tokens += tokens;
        self.trained_tokens += trained;
        self.fully_trained += u64::from(trained == tokens);
        self.measure(tokens);
        self.count_spans(row);
        self.count_turns(row);
        self.examine(row, trained == 0);
    }

    /// Counts what a row of data became beyond one row; one without text is dropped.
    pub fn count_parts(&mut self, parts: usize) {
        self.rows_added += parts.saturating_sub(1) as u64;
        if parts == 0 {
            *self.dropped.entry("empty").or_default() += 1;
        }
    }

    /// Counts a row that is not written.
    pub fn drop_row(&mut self, reason: &'static str, row: &Row) {
        *self.dropped.entry(reason).or_default() += 1;
        if reason == "too-long" {
            self.note("rows-too-long", row);
        }
        self.examine(row, row.record.trained_count() == 0);
    }

    /// Counts a row that is rejected, with its error as its diagnosis.
    pub fn reject(&mut self, error: &DataError) {
        *self.rejected.entry(error.code).or_default() += 1;
        let message = match &error.path {
            Some(path) => format!("{path}: {}", error.message),
            None => error.message.clone(),
        };
        let hint = error.hint.clone();
        let diagnosis = Diagnosis { code: error.code, severity: Severity::Error, span: None, message, hint };
        let file = error.file.clone().unwrap_or_default();
        self.diagnose(&diagnosis, &Place { file, line: error.line, row: error.row.unwrap_or(0) }, true);
    }

    /// Counts a row that occurred before.
    pub fn repeated(&mut self, row: &mut Row) {
        let diagnosis = Diagnosis {
            code: "duplicate-rows",
            severity: Severity::Warning,
            span: None,
            message: "the same ids and labels occurred before".to_owned(),
            hint: None,
        };
        self.diagnose(&diagnosis, &row.sources[0], true);
        row.diagnostics.push(diagnosis);
    }

    fn note(&mut self, code: &'static str, row: &Row) {
        self.first.entry(code).or_insert_with(|| row.sources[0].clone());
    }

    fn examine(&mut self, row: &Row, untrained: bool) {
        self.without_trained += u64::from(untrained);
        *self.statuses.entry(status_name(row.status)).or_default() += 1;
        for (index, diagnosis) in row.diagnostics.iter().enumerate() {
            let seen_in_row = row.diagnostics[..index].iter().any(|other| other.code == diagnosis.code);
            self.diagnose(diagnosis, &row.sources[0], !seen_in_row);
        }
    }

    fn diagnose(&mut self, diagnosis: &Diagnosis, place: &Place, new_row: bool) {
        let found = self.diagnoses.entry(diagnosis.code).or_insert_with(|| Found {
            severity: diagnosis.severity,
            count: 0,
            rows: 0,
            first: (place.clone(), diagnosis.clone()),
        });
        found.worsen(diagnosis.severity, || (place.clone(), diagnosis.clone()));
        found.count += 1;
        found.rows += u64::from(new_row);
    }

    fn measure(&mut self, tokens: u64) {
        self.shortest = Some(self.shortest.map_or(tokens, |shortest| shortest.min(tokens)));
        self.longest = self.longest.max(tokens);
        let bucket = tokens.max(1).ilog2() as usize;
        if self.histogram.len() <= bucket {
            self.histogram.resize(bucket + 1, 0);
        }
        self.histogram[bucket] += 1;
    }

    fn count_spans(&mut self, row: &Row) {
        for span in &row.record.spans {
            let figures = TokenFigures {
                tokens: span.tokens.len() as u64,
                trained: if span.trained { span.tokens.len() as u64 } else { 0 },
            };
            add_kind(&mut self.kinds, span.kind, figures);
            *self.reasons.entry(span.reason).or_default() += figures.tokens;
            if let Some(role) = span.turn.and_then(|turn| role_of(row, turn as usize)) {
                add_kind(&mut entry(&mut self.roles, role).kinds, span.kind, figures);
            }
        }
    }

    fn count_turns(&mut self, row: &Row) {
        let trained_turns = trained_turns(row);
        for (index, turn) in row.record.turns.iter().enumerate() {
            if let Some(role) = role_of(row, index) {
                let role = entry(&mut self.roles, role);
                role.turns += 1;
                role.trained_turns += u64::from(trained_turns[index]);
            }
            if !turn.trained {
                continue;
            }
            if let Some(end) = end_marker(row, turn) {
                self.count_end(row, turn, end.trained);
            }
            if !turn.terminated && !row.truncated {
                self.unterminated += 1;
                self.note("unterminated-turn", row);
            }
        }
    }

    fn count_end(&mut self, row: &Row, turn: &Turn, trained: bool) {
        self.ends.turns += 1;
        if !trained {
            return self.note("end-not-trained", row);
        }
        self.ends.trained += 1;
        for &id in &row.ids[turn.content_end..turn.end.max(turn.content_end + 1)] {
            *self.ends.tokens.entry(id).or_default() += 1;
        }
    }

    /// Adds the figures of the rows behind these.
    pub fn add(&mut self, other: Figures) {
        self.rows_read += other.rows_read;
        self.rows_added += other.rows_added;
        self.rows_written += other.rows_written;
        add_counts(&mut self.dropped, other.dropped);
        add_counts(&mut self.rejected, other.rejected);
        self.tokens += other.tokens;
        self.trained_tokens += other.trained_tokens;
        for (name, role) in other.roles {
            let sum = self.roles.entry(name).or_default();
            sum.turns += role.turns;
            sum.trained_turns += role.trained_turns;
            role.kinds.into_iter().for_each(|(kind, figures)| add_kind(&mut sum.kinds, kind, figures));
        }
        other.kinds.into_iter().for_each(|(kind, figures)| add_kind(&mut self.kinds, kind, figures));
        add_counts(&mut self.reasons, other.reasons);
        self.without_trained += other.without_trained;
        self.fully_trained += other.fully_trained;
        self.ends.turns += other.ends.turns;
        self.ends.trained += other.ends.trained;
        add_counts(&mut self.ends.tokens, other.ends.tokens);
        self.unterminated += other.unterminated;
        self.truncation.rows += other.truncation.rows;
        self.truncation.turns += other.truncation.turns;
        self.truncation.tokens += other.truncation.tokens;
        self.truncation.trained_tokens += other.truncation.trained_tokens;
        add_counts(&mut self.statuses, other.statuses);
        self.add_diagnoses(other.diagnoses);
        for (code, place) in other.first {
            self.first.entry(code).or_insert(place);
        }
        self.shortest = self.shortest.into_iter().chain(other.shortest).min();
        self.longest = self.longest.max(other.longest);
        self.histogram.resize(self.histogram.len().max(other.histogram.len()), 0);
        self.histogram.iter_mut().zip(other.histogram).for_each(|(sum, count)| *sum += count);
        self.timing.parse += other.timing.parse;
        self.timing.render += other.timing.render;
        self.timing.tokenize += other.timing.tokenize;
        self.timing.mask += other.timing.mask;
    }

    fn add_diagnoses(&mut self, others: BTreeMap<&'static str, Found>) {
        for (code, other) in others {
            match self.diagnoses.get_mut(code) {
                Some(found) => {
                    found.count += other.count;
                    found.rows += other.rows;
                    found.worsen(other.severity, || other.first);
                }
                None => {
                    self.diagnoses.insert(code, other);
                }
            }
        }
    }

    /// Rows written so far.
    pub fn rows_written(&self) -> u64 {
        self.rows_written
    }

    /// Rows rejected so far.
    pub fn rows_rejected(&self) -> u64 {
        self.rejected.values().sum()
    }

    /// Tokens and trained tokens so far.
    pub fn token_figures(&self) -> TokenFigures {
        TokenFigures { tokens: self.tokens, trained: self.trained_tokens }
    }

    /// Share of the rows encoded that have no trained token.
    pub fn untrained_share(&self) -> f64 {
        let encoded = self.rows_written + self.dropped.values().sum::<u64>();
        if encoded == 0 { 0.0 } else { self.without_trained as f64 / encoded as f64 }
    }

    /// The first row that a diagnosis was made for.
    pub fn first_place(&self, code: &str) -> Option<&Place> {
        self.diagnoses.get(code).map(|found| &found.first.0)
    }

    /// Where rows went that were not written: `3 too-long, 1 invalid-json`.
    pub fn losses(&self) -> String {
        let losses: Vec<String> =
            self.dropped.iter().chain(&self.rejected).map(|(reason, count)| format!("{count} {reason}")).collect();
        if losses.is_empty() { "none was read".to_owned() } else { losses.join(", ") }
    }

    /// The report of these figures; what else it holds is left empty.
    pub fn into_report(self) -> Report {
        let mut diagnostics: Vec<_> =
            self.diagnoses.into_iter().map(|(code, found)| found.into_figures(code)).collect();
        diagnostics.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.code.cmp(&b.code)));
        Report {
            rows_read: self.rows_read,
            rows_added: self.rows_added,
            rows_written: self.rows_written,
            dropped: named(self.dropped),
            rejected: named(self.rejected),
            tokens: self.tokens,
            trained_tokens: self.trained_tokens,
            roles: self.roles.into_iter().map(|(name, role)| (name.to_string(), role.into_figures())).collect(),
            kinds: named_kinds(self.kinds),
            reasons: self.reasons.into_iter().map(|(reason, count)| (reason.name().to_owned(), count)).collect(),
            rows_without_trained_tokens: self.without_trained,
            rows_fully_trained: self.fully_trained,
            ends: self.ends,
            unterminated_turns: self.unterminated,
            truncation: self.truncation,
            statuses: named(self.statuses),
            diagnostics,
            first: self.first.into_iter().map(|(code, place)| (code.to_owned(), place)).collect(),
            lengths: Lengths {
                min: self.shortest.unwrap_or(0),
                max: self.longest,
                mean: if self.rows_written == 0 { 0.0 } else { self.tokens as f64 / self.rows_written as f64 },
                histogram: self.histogram,
            },
            timing: self.timing,
            ..Report::default()
        }
    }
}

impl Role {
    fn into_figures(self) -> RoleFigures {
        RoleFigures {
            turns: self.turns,
            trained_turns: self.trained_turns,
            tokens: self.kinds.values().map(|figures| figures.tokens).sum(),
            trained: self.kinds.values().map(|figures| figures.trained).sum(),
            kinds: named_kinds(self.kinds),
        }
    }
}

impl Found {
    /// The first row is the first of the worst.
    fn worsen(&mut self, severity: Severity, first: impl FnOnce() -> (Place, Diagnosis)) {
        if severity > self.severity {
            (self.severity, self.first) = (severity, first());
        }
    }

    fn into_figures(self, code: &str) -> DiagnosisFigures {
        let (first, diagnosis) = self.first;
        DiagnosisFigures {
            code: code.to_owned(),
            severity: self.severity.name().to_owned(),
            count: self.count,
            rows: self.rows,
            first,
            message: diagnosis.message,
            hint: diagnosis.hint,
        }
    }
}

/// The end marker's first span: the turn's own, or the one that stops it and opens the next turn.
fn end_marker<'a>(row: &'a Row, turn: &Turn) -> Option<&'a Span> {
    if !turn.terminated || turn.content_end >= row.ids.len() {
        return None;
    }
    let spans = &row.record.spans;
    let span = &spans[spans.partition_point(|span| span.tokens.end <= turn.content_end)];
    let is_marker = turn.end > turn.content_end || matches!(span.kind, TokenKind::End | TokenKind::Header);
    is_marker.then_some(span)
}

/// For each turn, whether some token of it is trained.
fn trained_turns(row: &Row) -> Vec<bool> {
    let mut trained = vec![false; row.record.turns.len()];
    for span in row.record.spans.iter().filter(|span| span.trained) {
        if let Some(flag) = span.turn.and_then(|turn| trained.get_mut(turn as usize)) {
            *flag = true;
        }
    }
    trained
}

fn role_of(row: &Row, turn: usize) -> Option<&Arc<str>> {
    row.record.roles.get(row.record.turns.get(turn)?.role as usize)
}

fn entry<'a>(roles: &'a mut BTreeMap<Arc<str>, Role>, name: &Arc<str>) -> &'a mut Role {
    roles.entry(Arc::clone(name)).or_default()
}

fn add_kind(kinds: &mut Kinds, kind: TokenKind, figures: TokenFigures) {
    let sum = kinds.entry(kind).or_default();
    sum.tokens += figures.tokens;
    sum.trained += figures.trained;
}

fn add_counts<K: Ord>(sums: &mut BTreeMap<K, u64>, counts: BTreeMap<K, u64>) {
    for (key, count) in counts {
        *sums.entry(key).or_default() += count;
    }
}

fn named(counts: BTreeMap<&'static str, u64>) -> BTreeMap<String, u64> {
    counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
}

fn named_kinds(kinds: Kinds) -> BTreeMap<String, TokenFigures> {
    kinds.into_iter().map(|(kind, figures)| (kind.name().to_owned(), figures)).collect()
}
