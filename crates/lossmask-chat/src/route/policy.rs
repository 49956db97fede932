//! Which messages and which end markers are trained: the config and the data's own flags, in one place.

use std::collections::{BTreeMap, HashSet};

use lossmask::Reason;
use lossmask::trained::{EndRule, EndsOfRow, TurnEnd};

use crate::message::Conversation;
use crate::spec::EncoderSpec;

/// What the config says about training.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    roles: Vec<String>,
    pub(crate) train_on_inputs: bool,
    eos_rule: EndRule,
    /// Of the eot tokens, where they have a rule of their own.
    eot_rule: Option<EndRule>,
    eot: HashSet<i32>,
    eos: Option<i32>,
    include_start: HashSet<String>,
    weights: BTreeMap<String, f32>,
}

/// Whether something is trained, and why.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) trained: bool,
    pub(crate) reason: Reason,
    pub(crate) weight: f32,
}

impl Policy {
    /// `roles`: the roles to train, as the template names them.
    pub(crate) fn new(spec: &EncoderSpec, roles: Vec<String>) -> Self {
        let included = spec.masker.boundaries.iter().filter(|boundary| boundary.include_start);
        let rule = |train_on_eos| EndRule { train_on_eos, train_on_shared_end: spec.masker.train_on_shared_end };
        Policy {
            roles,
            train_on_inputs: spec.masker.train_on_inputs,
            eos_rule: rule(spec.masker.train_on_eos),
            eot_rule: spec.train_on_eot.map(rule),
            eot: spec.eot_token_ids.iter().copied().collect(),
            eos: spec.eos_token_id,
            include_start: included.map(|boundary| boundary.role.clone()).collect(),
            weights: spec.weights.clone(),
        }
    }

    /// Whether a role is trained when the data says nothing.
    pub(crate) fn role(&self, role: &str) -> Verdict {
        let weight = self.weights.get(role).copied().unwrap_or(1.0);
        if self.train_on_inputs {
            Verdict { trained: true, reason: Reason::TrainOnInputs, weight }
        } else if self.roles.iter().any(|trained| trained == role) && weight > 0.0 {
            Verdict { trained: true, reason: Reason::Role, weight }
        } else {
            Verdict { trained: false, reason: Reason::RoleNotTrained, weight: 0.0 }
        }
    }

    /// Whether a message is trained.
    pub(crate) fn message(&self, conversation: &Conversation, index: u32, flags: bool) -> Option<Verdict> {
        let source = conversation.sources.get(index as usize)?;
        let by_role = self.role(&source.role);
        if !flags {
            return Some(by_role);
        }
        let weight = source.flags.weight.unwrap_or(1.0);
        let off = Verdict { trained: false, reason: Reason::FlaggedOff, weight: 0.0 };
        let on = |weight| Verdict { trained: true, reason: Reason::Flag, weight };
        let role_weight = self.weights.get(&source.role).copied().unwrap_or(1.0);
        Some(match source.flags.train {
            Some(false) => off,
            Some(true) => on(role_weight * weight),
            None if weight == 0.0 => off,
            None if !source.flags.details.is_empty() => on(role_weight * weight),
            None => Verdict { weight: by_role.weight * weight, ..by_role },
        })
    }

    /// Whether the turns of a role have their start marker trained.
    pub(crate) fn includes_start(&self, role: &str) -> bool {
        self.include_start.contains(role)
    }

    /// Whether an end token may end a turn although no boundary says so: the eot tokens, else the eos token.
    pub(crate) fn is_end_token(&self, id: i32) -> bool {
        self.eot.contains(&id) || self.eos == Some(id)
    }

    /// Which end markers of a row are trained.
    pub(crate) fn ends_of_row(&self, ends: &[FoundEnd]) -> RowEnds<'_> {
        let of = |rule: EndRule, decides: fn(&Policy, i32) -> bool| {
            rule.for_row(ends.iter().filter(|end| decides(self, end.id)).map(|end| (end.turn, end.end)))
        };
        RowEnds {
            policy: self,
            eos: of(self.eos_rule, Policy::eos_rule_decides),
            eot: self.eot_rule.map(|rule| of(rule, Policy::eot_rule_decides)),
        }
    }

    fn eos_rule_decides(&self, id: i32) -> bool {
        self.eot_rule.is_none() || !self.eot.contains(&id) || self.eos == Some(id)
    }

    fn eot_rule_decides(&self, id: i32) -> bool {
        self.eot.is_empty() || self.eot.contains(&id)
    }
}

/// An end marker of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FoundEnd {
    /// Index of the turn that it ends.
    pub(crate) turn: usize,
    /// Its last token.
    pub(crate) id: i32,
    pub(crate) end: TurnEnd,
}

/// The rules of `train_on_eos` and `train_on_eot` for one row.
pub(crate) struct RowEnds<'p> {
    policy: &'p Policy,
    eos: EndsOfRow,
    eot: Option<EndsOfRow>,
}

impl RowEnds<'_> {
    /// Whether an end marker is trained: one of the rules that decide about it says so.
    pub(crate) fn trains(&self, found: FoundEnd) -> bool {
        let FoundEnd { turn, id, end } = found;
        let by_eot = self.eot.filter(|_| self.policy.eot_rule_decides(id)).is_some_and(|rule| rule.trains(turn, end));
        by_eot || (self.policy.eos_rule_decides(id) && self.eos.trains(turn, end))
    }
}
