//! Which messages and which end markers are trained: the config and the data's own flags, in one place.

use std::collections::{BTreeMap, HashSet};

use lossmask::{EndKind, Reason, TrainOnEos};

use crate::message::Conversation;
use crate::spec::EncoderSpec;

/// What the config says about training.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    roles: Vec<String>,
    pub(crate) train_on_inputs: bool,
    train_on_eos: TrainOnEos,
    train_on_eot: Option<TrainOnEos>,
    train_on_shared_end: bool,
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
        Policy {
            roles,
            train_on_inputs: spec.masker.train_on_inputs,
            train_on_eos: spec.masker.train_on_eos,
            train_on_eot: spec.train_on_eot,
            train_on_shared_end: spec.masker.train_on_shared_end,
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

    /// Whether the config says which tokens end a turn.
    pub(crate) fn knows_end_tokens(&self) -> bool {
        !self.eot.is_empty() || self.eos.is_some()
    }

    /// Whether the end marker whose last token is `id` is trained. `last`: it ends the row's last trained turn.
    pub(crate) fn end(&self, id: i32, kind: EndKind, turn_trained: bool, last: bool) -> bool {
        let is_eot = self.eot.contains(&id) || self.eot.is_empty();
        let is_eos = self.eot.is_empty() || !self.eot.contains(&id) || self.eos == Some(id);
        let eot = self.train_on_eot.filter(|_| is_eot);
        let eos = Some(self.train_on_eos).filter(|_| is_eos || self.train_on_eot.is_none());
        eot.into_iter().chain(eos).any(|rule| self.rule(rule, kind, turn_trained, last))
    }

    fn rule(&self, rule: TrainOnEos, kind: EndKind, turn_trained: bool, last: bool) -> bool {
        let own = kind != EndKind::Before;
        match rule {
            TrainOnEos::None => false,
            TrainOnEos::Turn => turn_trained && (own || self.train_on_shared_end),
            TrainOnEos::Last => last && (own || self.train_on_shared_end),
            TrainOnEos::All => own || (turn_trained && self.train_on_shared_end),
        }
    }
}
