//! Several rows in one sequence, none of them visible to another: `position_ids` restart and `seq_lengths` tell where,
//! and the first label of each row is not trained, since the token before it belongs to another row.

use std::collections::BTreeMap;

use lossmask::{Reason, Record, Span, Turn};
use lossmask_chat::Status;

use crate::PackingSpec;
use crate::report::PackingFigures;
use crate::row::Row;

/// A group is packed early once it holds this many tokens, so that long rows do not fill the memory.
const GROUP_TOKENS: usize = 16 << 20;

/// Packs a stream of rows, group by group.
pub(crate) struct Packer {
    spec: PackingSpec,
    capacity: usize,
    group: Vec<Row>,
    tokens: usize,
    /// What was made so far.
    pub figures: PackingFigures,
    packed_tokens: u64,
}

impl Packer {
    /// `capacity`: the longest sequence in tokens; no row may be longer.
    pub fn new(spec: PackingSpec, capacity: usize) -> Self {
        Packer { spec, capacity, group: Vec::new(), tokens: 0, figures: PackingFigures::default(), packed_tokens: 0 }
    }

    /// Takes a row and gives the sequences that are complete now.
    pub fn push(&mut self, row: Row) -> Vec<Row> {
        self.tokens += row.ids.len();
        self.group.push(row);
        if self.group.len() < self.spec.group_size && self.tokens < GROUP_TOKENS {
            return Vec::new();
        }
        self.flush()
    }

    /// Gives the sequences of the rows still held.
    pub fn flush(&mut self) -> Vec<Row> {
        let group = std::mem::take(&mut self.group);
        self.tokens = 0;
        let lengths: Vec<usize> = group.iter().map(|row| row.ids.len()).collect();
        let bins = if self.spec.sequentially {
            next_fit(&lengths, self.capacity, self.spec.bin_size)
        } else {
            best_fit_decreasing(&lengths, self.capacity, self.spec.bin_size)
        };
        self.figures.rows += group.len() as u64;
        self.figures.sequences += bins.len() as u64;
        self.packed_tokens += lengths.iter().sum::<usize>() as u64;
        let room = self.figures.sequences as f64 * self.capacity as f64;
        self.figures.efficiency = if room > 0.0 { self.packed_tokens as f64 / room } else { 0.0 };
        let mut group: Vec<Option<Row>> = group.into_iter().map(Some).collect();
        let figures = &mut self.figures;
        let sequences = bins.iter().map(|bin| join(bin.iter().filter_map(|&index| group[index].take()), figures));
        sequences.collect()
    }
}

/// Bins of row indices: the longest rows first, each into the fullest bin that still takes it.
fn best_fit_decreasing(lengths: &[usize], capacity: usize, bin_size: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(lengths[index]));
    let mut bins: Vec<Vec<usize>> = Vec::new();
    let mut open: BTreeMap<(usize, usize), ()> = BTreeMap::new();
    for index in order {
        let length = lengths[index];
        let found = open.range((length, 0)..).next().map(|(&key, ())| key);
        let (room, bin) = match found {
            Some(key) => {
                open.remove(&key);
                key
            }
            None => {
                bins.push(Vec::new());
                (capacity, bins.len() - 1)
            }
        };
        bins[bin].push(index);
        if bins[bin].len() < bin_size {
            open.insert((room.saturating_sub(length), bin), ());
        }
    }
    for bin in &mut bins {
        bin.sort_unstable();
    }
    bins
}

/// Bins of row indices in the rows' order.
fn next_fit(lengths: &[usize], capacity: usize, bin_size: usize) -> Vec<Vec<usize>> {
    let mut bins: Vec<Vec<usize>> = Vec::new();
    let mut room = 0;
    for (index, &length) in lengths.iter().enumerate() {
        match bins.last_mut().filter(|bin| length <= room && bin.len() < bin_size) {
            Some(bin) => {
                bin.push(index);
                room -= length;
            }
            None => {
                bins.push(vec![index]);
                room = capacity.saturating_sub(length);
            }
        }
    }
    bins
}

fn join(rows: impl Iterator<Item = Row>, figures: &mut PackingFigures) -> Row {
    let mut out = Row {
        ids: Vec::new(),
        record: Record::default(),
        status: Status::Certain,
        diagnostics: Vec::new(),
        media: Vec::new(),
        sources: Vec::new(),
        lengths: Vec::new(),
        truncated: false,
    };
    for mut row in rows {
        figures.first_tokens_masked += u64::from(mask_first(&mut row.record));
        append_record(&mut out.record, row.record, out.ids.len());
        for mut diagnosis in row.diagnostics {
            diagnosis.span = diagnosis.span.map(|span| span.start + out.ids.len()..span.end + out.ids.len());
            out.diagnostics.push(diagnosis);
        }
        for mut item in row.media {
            item.tokens = item.tokens.start + out.ids.len()..item.tokens.end + out.ids.len();
            out.media.push(item);
        }
        out.ids.extend_from_slice(&row.ids);
        out.lengths.extend(row.lengths);
        out.sources.extend(row.sources);
        out.truncated |= row.truncated;
        out.status = weaker(out.status, row.status);
    }
    out
}

fn weaker(a: Status, b: Status) -> Status {
    match (a, b) {
        (Status::Conflict, _) | (_, Status::Conflict) => Status::Conflict,
        (Status::Single, _) | (_, Status::Single) => Status::Single,
        _ => Status::Certain,
    }
}

/// Masks the row's first token; whether it was trained.
fn mask_first(record: &mut Record) -> bool {
    let Some(first) = record.spans.first_mut().filter(|span| span.trained) else { return false };
    let mask = Span { tokens: 0..1, trained: false, reason: Reason::Packed, weight: 0.0, ..first.clone() };
    first.tokens.start = 1;
    if first.tokens.is_empty() {
        *first = mask;
    } else {
        record.spans.insert(0, mask);
    }
    true
}

fn append_record(out: &mut Record, record: Record, offset: usize) {
    let first_turn = out.turns.len() as u32;
    let roles: Vec<u32> = record.roles.iter().map(|role| role_index(out, role)).collect();
    out.turns.extend(record.turns.into_iter().map(|turn| Turn {
        role: roles.get(turn.role as usize).copied().unwrap_or(turn.role),
        start: turn.start + offset,
        content_start: turn.content_start + offset,
        content_end: turn.content_end + offset,
        end: turn.end + offset,
        ..turn
    }));
    out.spans.extend(record.spans.into_iter().map(|span| Span {
        tokens: span.tokens.start + offset..span.tokens.end + offset,
        turn: span.turn.map(|turn| turn + first_turn),
        ..span
    }));
}

fn role_index(record: &mut Record, role: &std::sync::Arc<str>) -> u32 {
    let found = record.roles.iter().position(|known| known == role);
    found.unwrap_or_else(|| {
        record.roles.push(role.clone());
        record.roles.len() - 1
    }) as u32
}
