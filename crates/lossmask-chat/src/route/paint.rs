//! From turns to what is trained of them.

use std::cell::OnceCell;
use std::ops::Range;

use lossmask::trained::{TurnEnd, TurnFacts, TurnRule};
use lossmask::{EndKind, Reason, Record, TokenKind};

use super::Row;
use super::canvas::{Paint, roll};
use super::origin::Part;
use super::policy::{FoundEnd, Policy, RowEnds, Verdict};
use super::turns::{Found, Structure};
use crate::message::Source;
use crate::reasoning;
use crate::spec::{Reasoning, Scaffold, Straddle};
use crate::template::{Origin, TextTurn};

/// Decides about the tokens of a row whose turns are known.
pub(crate) struct Painter<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) row: &'a Row<'a>,
    pub(crate) straddle: Option<Straddle>,
    pub(crate) reasoning: Reasoning,
    pub(crate) turn_rule: TurnRule,
    /// Whether the data's flags count.
    pub(crate) flags: bool,
    /// What the template writes in front of an answer that the model does not have to.
    pub(crate) scaffold: Scaffold,
    /// The turns as the text tells them, when they are first asked for.
    pub(crate) written: OnceCell<Vec<TextTurn>>,
    /// Whether a turn that the template made is trained as its role is, as it is from ids alone.
    pub(crate) template_turns: bool,
}

impl Painter<'_> {
    /// The row's record.
    pub(crate) fn record(&self, structure: Structure) -> Record {
        let Structure { roles, turns, mut canvas } = structure;
        let mut verdicts: Vec<Verdict> = turns.iter().map(|found| self.turn(&roles, found)).collect();
        self.apply_turn_rule(&turns, &mut verdicts);
        for (found, &verdict) in turns.iter().zip(&verdicts) {
            let role = &roles[found.turn.role as usize];
            self.header(role, found, verdict, &mut canvas);
            self.content(role, found, verdict, &mut canvas);
        }
        // An end marker may be the next turn's first token, and is an end marker then.
        let ends: Vec<FoundEnd> = turns
            .iter()
            .enumerate()
            .flat_map(|(turn, found)| found.ends.iter().map(move |(marker, kind)| (turn, marker, *kind)))
            .map(|(turn, marker, kind)| self.found_end(turn, marker, kind, verdicts[turn]))
            .collect();
        let rules = self.policy.ends_of_row(&ends);
        for (index, (found, &verdict)) in turns.iter().zip(&verdicts).enumerate() {
            self.ends(index, found, verdict, &rules, &mut canvas);
        }
        let spans = roll(&canvas);
        let public = turns.iter().enumerate().map(|(index, found)| {
            let mut turn = found.turn;
            turn.trained =
                canvas[turn.start..turn.end].iter().any(|paint| paint.trained && paint.turn == Some(index as u32));
            turn
        });
        Record { turns: public.collect(), roles, spans }
    }

    /// Leaves of the trained turns those that `turns` and `unterminated` leave. `train_on_inputs` leaves them all.
    fn apply_turn_rule(&self, turns: &[Found], verdicts: &mut [Verdict]) {
        if self.policy.train_on_inputs {
            return;
        }
        let facts = |turn: usize, verdict: &Verdict| TurnFacts {
            untrained: (!verdict.trained).then_some(verdict.reason),
            terminated: turns[turn].turn.terminated,
        };
        let all: Vec<TurnFacts> = verdicts.iter().enumerate().map(|(turn, verdict)| facts(turn, verdict)).collect();
        let rule = self.turn_rule.for_row(all.iter().copied());
        for (turn, verdict) in verdicts.iter_mut().enumerate().filter(|(_, verdict)| verdict.trained) {
            if let Some(reason) = rule.untrained(turn, all[turn]) {
                *verdict = Verdict { trained: false, reason, weight: 0.0 };
            }
        }
    }

    fn found_end(&self, turn: usize, marker: &Range<usize>, kind: EndKind, verdict: Verdict) -> FoundEnd {
        FoundEnd { turn, id: self.row.ids[marker.end - 1], end: TurnEnd { kind, turn_trained: verdict.trained } }
    }

    /// Whether a turn is trained: as the message says that owns its end. A turn that the template made has no such message.
    fn turn(&self, roles: &[std::sync::Arc<str>], found: &Found) -> Verdict {
        let owner = found.owner.and_then(|owner| self.policy.message(self.row.conversation, owner, self.flags));
        let role = self.policy.role(&roles[found.turn.role as usize]);
        match owner {
            Some(verdict) => verdict,
            None if self.template_turns || self.policy.train_on_inputs || !role.trained => role,
            None => Verdict { trained: false, reason: Reason::Scaffold, weight: 0.0 },
        }
    }

    fn header(&self, role: &str, found: &Found, verdict: Verdict, canvas: &mut [Paint]) {
        if self.policy.train_on_inputs && verdict.trained {
            return;
        }
        let include = verdict.trained && self.policy.includes_start(role);
        let header = found.turn.start..found.turn.content_start;
        for (at, paint) in header.clone().zip(&mut canvas[header]) {
            if is_fixed(paint) {
                continue;
            }
            paint.kind = TokenKind::Header;
            let token = &self.row.tokens[at];
            let fused = token.is_message_text() && self.straddle == Some(Straddle::Include);
            match (include, fused && verdict.trained) {
                (true, _) => self.set(paint, verdict, Reason::IncludeStart),
                (false, true) => self.set(paint, verdict, verdict.reason),
                (false, false) => paint.decide(false, if verdict.trained { Reason::Header } else { verdict.reason }),
            }
        }
    }

    fn content(&self, role: &str, found: &Found, turn: Verdict, canvas: &mut [Paint]) {
        let content = found.turn.content_start..found.turn.content_end;
        let made = self.template_made(&content);
        let mut kinds = self.kinds(&content);
        let mut details = Details::default();
        for at in content {
            let kind = kinds.next().unwrap_or(TokenKind::Content);
            let paint = &mut canvas[at];
            if is_fixed(paint) {
                continue;
            }
            if paint.reason == Reason::Excluded || paint.reason == Reason::Unterminated {
                paint.decide(false, paint.reason);
                continue;
            }
            paint.kind = kind;
            if at < made && !self.policy.train_on_inputs {
                paint.kind = TokenKind::Scaffold;
                paint.decide(false, Reason::Scaffold);
                continue;
            }
            let verdict = self.token(role, at, found, turn);
            if verdict.trained && self.is_excluded_edge(at, found) {
                paint.decide(false, Reason::Straddle);
                continue;
            }
            let message = self.row.tokens[at].message.or(found.owner);
            let source = message.and_then(|message| self.row.conversation.sources.get(message as usize));
            if !verdict.trained {
                paint.decide(false, verdict.reason);
            } else if kind == TokenKind::Reasoning && self.reasoning == Reasoning::Mask {
                paint.decide(false, Reason::ReasoningMasked);
            } else if let Some(source) = source.filter(|source| self.flags && !source.flags.details.is_empty()) {
                let detail = details.of(self, message.unwrap_or(0), source, at);
                match detail {
                    Ok(weight) => self.set(paint, Verdict { weight: verdict.weight * weight, ..verdict }, Reason::Flag),
                    Err(reason) => paint.decide(false, reason),
                }
            } else {
                self.set(paint, verdict, verdict.reason);
            }
        }
    }

    /// Whether a token in which the template's beginning of a turn is fused with its first word is left out.
    fn is_excluded_edge(&self, at: usize, found: &Found) -> bool {
        let token = &self.row.tokens[at];
        let first = at == found.turn.content_start || !self.row.tokens[at - 1].is_data();
        self.straddle == Some(Straddle::Exclude) && token.is_data() && !token.whole && first && {
            let span = &self.row.spans[at];
            let starts = |turn: &TextTurn| span.start < turn.body.start && turn.body.start < span.end;
            self.written().iter().any(starts)
        }
    }

    /// One token of a turn's content: its message decides, and where the template wrote it, the message it wrote it for.
    fn token(&self, role: &str, at: usize, found: &Found, turn: Verdict) -> Verdict {
        let token = &self.row.tokens[at];
        let not_last = turn.reason == Reason::NotLastTurn;
        let Some(message) = token.message.filter(|&message| Some(message) != found.owner && !not_last) else {
            return turn;
        };
        let is_own = || self.row.conversation.sources.get(message as usize).is_some_and(|source| source.role == *role);
        if token.is_data() || is_own() {
            self.policy.message(self.row.conversation, message, self.flags).unwrap_or(turn)
        } else {
            turn
        }
    }

    fn ends(&self, index: usize, found: &Found, verdict: Verdict, rules: &RowEnds<'_>, canvas: &mut [Paint]) {
        for (marker, kind) in &found.ends {
            let trained = rules.trains(self.found_end(index, marker, *kind, verdict));
            for paint in &mut canvas[marker.clone()] {
                if is_fixed(paint) || paint.reason == Reason::Excluded || (*kind == EndKind::Before && !trained) {
                    continue;
                }
                paint.turn = Some(index as u32);
                paint.kind = TokenKind::End;
                let reason = if verdict.trained { Reason::EndNotTrained } else { verdict.reason };
                match (trained, self.policy.train_on_inputs) {
                    (true, _) => paint.decide(true, Reason::TrainOnEos),
                    (false, true) => {}
                    (false, false) => paint.decide(false, reason),
                }
                if trained && verdict.trained {
                    paint.weight = verdict.weight;
                }
            }
        }
    }

    fn set(&self, paint: &mut Paint, verdict: Verdict, reason: Reason) {
        paint.decide(verdict.weight > 0.0, if verdict.weight > 0.0 { reason } else { Reason::FlaggedOff });
        paint.weight = verdict.weight;
    }

    /// Up to which token the template wrote the beginning of a turn: all that stands in front of what the message says, but for tags that
    /// the model writes around it.
    fn template_made(&self, content: &Range<usize>) -> usize {
        let tokens = &self.row.tokens[content.clone()];
        let scaffold = tokens.iter().take_while(|token| !token.is_data()).count();
        if scaffold == 0 || self.scaffold == Scaffold::GenerationPrompt {
            return content.start;
        }
        let last = content.start + scaffold;
        let spans = &self.row.spans;
        let said = spans.get(last).filter(|_| last < content.end);
        let from = self.row.floor(spans[content.start].start);
        let begins =
            |turn: &&TextTurn| said.is_some_and(|said| turn.bytes.start < said.end && said.start < turn.bytes.end);
        let end = match self.written().iter().find(begins) {
            Some(turn) => turn.body.start,
            // A turn without a word: of a block of reasoning in it the template wrote both tags.
            None => {
                let text = &self.row.text[from..self.row.floor(spans[last - 1].end)];
                let close = reasoning::last_close(text).unwrap_or(0);
                from + text.len() - text[close..].trim_start().len()
            }
        };
        // White space alone belongs to the words, as tokenizers have it.
        if self.row.text.get(from..end).is_none_or(|made| made.trim().is_empty()) {
            return content.start;
        }
        (content.start..last).find(|&at| spans[at].start >= end).unwrap_or(last)
    }

    fn written(&self) -> &[TextTurn] {
        self.written.get_or_init(|| self.row.template.turns(self.row.rendered, self.row.origins))
    }

    /// What each token of a turn's content is. Tags belong to what they open or close.
    fn kinds(&self, content: &Range<usize>) -> std::vec::IntoIter<TokenKind> {
        let tokens = &self.row.tokens[content.clone()];
        let mut kinds = vec![TokenKind::Content; tokens.len()];
        let mut next = TokenKind::Content;
        for at in (0..tokens.len()).rev() {
            if tokens[at].is_data() {
                next = kind_of(tokens[at].part);
            }
            kinds[at] = next;
        }
        let mut previous = TokenKind::Content;
        for at in 0..tokens.len() {
            if tokens[at].is_data() {
                previous = kinds[at];
            } else if kinds[at] == TokenKind::Content {
                kinds[at] = previous;
            }
        }
        kinds.into_iter()
    }
}

fn kind_of(part: Part) -> TokenKind {
    match part {
        Part::Reasoning => TokenKind::Reasoning,
        Part::ToolCall => TokenKind::ToolCall,
        Part::Scaffold | Part::Content | Part::Other => TokenKind::Content,
    }
}

/// Tokens that no message decides about.
fn is_fixed(paint: &Paint) -> bool {
    matches!(paint.kind, TokenKind::Media | TokenKind::Pad)
}

/// The flagged stretches of the message last asked about.
#[derive(Default)]
struct Details {
    message: Option<u32>,
    /// Field, bytes of it, weight; 0 where it is not trained.
    stretches: Vec<(usize, Range<usize>, f32)>,
}

impl Details {
    /// The weight of a token by the flagged stretches, or why it is not trained.
    fn of(&mut self, painter: &Painter<'_>, message: u32, source: &Source, at: usize) -> Result<f32, Reason> {
        if self.message != Some(message) {
            self.message = Some(message);
            self.stretches = stretches(painter.row, message, source);
        }
        let row = painter.row;
        let span = &row.spans[at];
        // Characters of the token that are trained, and that are not; the best weight of those that are.
        let (mut on, mut off, mut weight) = (0, 0, 0f32);
        for run in &row.origins.runs[row.tokens[at].first_run as usize..] {
            if run.bytes.start >= span.end {
                break;
            }
            let cut = span.start.max(run.bytes.start)..span.end.min(run.bytes.end);
            let Origin::Field { field, range } = &run.origin else { continue };
            for byte in cut.filter(|&byte| row.text.is_char_boundary(byte)) {
                let here = range.start + byte - run.bytes.start;
                let own = |(of, bytes, _): &&(usize, Range<usize>, f32)| of == field && bytes.contains(&here);
                match self.stretches.iter().filter(own).map(|(_, _, weight)| *weight).reduce(f32::max) {
                    Some(here) if here > 0.0 => {
                        on += 1;
                        weight = weight.max(here);
                    }
                    _ => off += 1,
                }
            }
            // The later tokens of a character that is split stand where it began.
            if on + off == 0 {
                let here = range.start + row.floor(span.start).max(run.bytes.start) - run.bytes.start;
                let stretch = self.stretches.iter().find(|(of, bytes, _)| of == field && bytes.contains(&here));
                if let Some((_, _, here)) = stretch.filter(|(_, _, here)| *here > 0.0) {
                    on = 1;
                    weight = *here;
                }
            }
        }
        let trained = match painter.straddle {
            _ if on == 0 => return Err(Reason::FlaggedOff),
            _ if off == 0 => true,
            // axolotl's rule: two characters of the token are enough.
            None => on >= 2,
            Some(straddle) => straddle == Straddle::Include,
        };
        if trained { Ok(weight) } else { Err(Reason::Straddle) }
    }
}

/// A message's flagged stretches in bytes of its fields.
fn stretches(row: &Row<'_>, message: u32, source: &Source) -> Vec<(usize, Range<usize>, f32)> {
    let mut out = Vec::new();
    for details in source.flags.details.chunk_by(|a, b| a.field == b.field) {
        let name = &details[0].field;
        let path = format!("messages[{message}].{name}");
        let is_field = |run: &&crate::template::Run| matches!(run.origin, Origin::Field { field, .. } if row.origins.path(field) == path);
        let Some(Origin::Field { field, .. }) = row.origins.runs.iter().find(is_field).map(|run| run.origin.clone())
        else {
            continue;
        };
        let pointer = format!("/{}", name.replace(['[', '.'], "/").replace(']', ""));
        let text = row.conversation.messages[message as usize].pointer(&pointer).and_then(serde_json::Value::as_str);
        let Some(text) = text else { continue };
        let bytes: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        for detail in details {
            let at = |chars: usize| bytes[chars.min(bytes.len() - 1)];
            let weight = if detail.train { detail.weight } else { 0.0 };
            out.push((field, at(detail.chars.start)..at(detail.chars.end), weight));
        }
    }
    out.sort_by_key(|(field, bytes, _)| (*field, bytes.start));
    out
}
