//! Parameters from the files of public checkpoints, which are not part of the project: read from `../shared/families`, or left
//! out, visibly, where that folder is absent.

use std::path::PathBuf;

use lossmask_media::{Expander, Family, MediaItem, Params, Size};

fn folder(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/families")).join(name);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("left out: {name} (no ../shared/families)");
    None
}

fn tokens(expander: &Expander, item: MediaItem) -> u32 {
    expander.expand(&[item]).expect("an ordinary size")[0].placeholder_count
}

#[test]
fn smolvlm_tiles_come_from_both_files() {
    let Some(folder) = folder("smolvlm-256m-instruct") else { return };
    let params = Params::from_folder(&folder).unwrap();
    assert_eq!(Family::detect(&params), Some(Family::Idefics3), "the checkpoint states Idefics3's processor");
    for family in [Family::Idefics3, Family::SmolVlm] {
        let expander = Expander::new(family, &params).unwrap();
        assert_eq!(
            tokens(&expander, MediaItem::image(1, 1)),
            17 * 64,
            "{family:?}: 4 x 4 tiles and the whole image, 64 each"
        );
    }
}

#[test]
fn granite_docling_fills_in_what_its_file_leaves_open() {
    let Some(folder) = folder("granite-docling-258m") else { return };
    let expander = Expander::new(Family::GraniteDocling, &Params::from_folder(&folder).unwrap()).unwrap();
    assert_eq!(tokens(&expander, MediaItem::image(164, 4)), 320);
}

#[test]
fn gemma4_reads_each_section_for_its_kind() {
    for name in ["gemma-4-onnx", "gemma-4-e2b-axera"] {
        let Some(folder) = folder(name) else { return };
        let params = Params::from_folder(&folder).unwrap();
        assert_eq!(Family::detect(&params), Some(Family::Gemma4));
        let expander = Expander::new(Family::Gemma4, &params).unwrap();
        assert_eq!(tokens(&expander, MediaItem::image(7, 7)), 256);
        let video = MediaItem::Video { size: Size { width: 1000, height: 500 }, frames: 7, fps: 4.0 };
        assert_eq!(tokens(&expander, video), 7 * 55, "the video section's budget of 70");
        assert_eq!(tokens(&expander, MediaItem::Audio { samples: 80_000 }), 125);
    }
}

#[test]
fn minicpm_reads_its_slices() {
    let Some(folder) = folder("minicpm-v-4.6") else { return };
    let params = Params::from_folder(&folder).unwrap();
    assert_eq!(Family::detect(&params), Some(Family::MiniCpmV46));
    let expander = Expander::new(Family::MiniCpmV46, &params).unwrap();
    assert_eq!(tokens(&expander, MediaItem::image(1280, 720)), 444);
}

#[test]
fn no_files_are_class_defaults_and_broken_ones_are_errors() {
    let empty = std::env::temp_dir().join(format!("lossmask-media-folders-{}", std::process::id()));
    std::fs::create_dir_all(&empty).unwrap();
    assert!(Params::from_folder(&empty).unwrap().is_empty());
    for text in ["{", "[1]", ""] {
        std::fs::write(empty.join("preprocessor_config.json"), text).unwrap();
        let error = Params::from_folder(&empty).unwrap_err();
        assert!(error.code == "media-params" && error.message.contains("preprocessor_config.json"), "{error}");
    }
    std::fs::remove_dir_all(&empty).unwrap();
}
