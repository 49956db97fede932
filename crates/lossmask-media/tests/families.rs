//! `families/families.json` and the media families name the same processor classes.

use std::collections::BTreeSet;

use lossmask_media::Family;
use serde::Deserialize;

/// What this side reads of a family; the rest is for roles and templates.
#[derive(Deserialize)]
struct Declared {
    name: String,
    processors: Vec<String>,
    #[serde(default)]
    unexpanded: Vec<String>,
}

/// Processors of models that are only expanded: no role of theirs is known.
const MEDIA_ONLY: [&str; 4] =
    ["DeepseekOcr2Processor", "DeepseekVLProcessor", "Granite4VisionProcessor", "MiniCPMV4_6Processor"];

fn declared() -> Vec<Declared> {
    serde_json::from_str(include_str!("../../../families/families.json")).expect("families.json is data of families")
}

fn expanded() -> BTreeSet<&'static str> {
    Family::ALL.iter().flat_map(|family| family.processors()).copied().collect()
}

#[test]
fn every_declared_processor_is_expanded_or_said_not_to_be() {
    let expanded = expanded();
    for family in declared() {
        for class in &family.processors {
            let said = family.unexpanded.contains(class);
            assert_ne!(expanded.contains(class.as_str()), said, "{}: {class}", family.name);
        }
        for class in &family.unexpanded {
            assert!(family.processors.contains(class), "{}: {class} is none of its processors", family.name);
        }
    }
}

#[test]
fn every_expanded_processor_is_declared() {
    let families = declared();
    let known: BTreeSet<&str> =
        families.iter().flat_map(|family| &family.processors).map(String::as_str).chain(MEDIA_ONLY).collect();
    for class in expanded() {
        assert!(known.contains(class), "{class} is in no family of families.json");
    }
    for class in MEDIA_ONLY {
        assert!(expanded().contains(class), "{class}");
    }
}

#[test]
fn a_processor_and_the_name_of_its_family_mean_the_same_rules() {
    // One declared family, two of the processor's: GLM-4.5V is prepared by 4.1V's class, 4.6V by a class of its own.
    for family in declared().iter().filter(|family| family.name != "glm4_5v") {
        for class in family.processors.iter().filter(|class| !family.unexpanded.contains(class)) {
            let of_class = Family::ALL.iter().find(|known| known.processors().contains(&class.as_str()));
            assert_eq!(Family::from_name(&family.name).ok().as_ref(), of_class, "{}: {class}", family.name);
        }
    }
}
