//! The shared table of hand-written cases, and what the table has no room for: errors, shapes, records, near misses.

mod common;

use common::{ids, naive, vectors};
use lossmask::{
    Boundary, BuildErrorKind, End, EndKind, Exclude, Masker, MaskerOptions, NearMiss, Reason, RowContext, Rows,
    ShapeError, TokenKind, Turn,
};
use serde_json::{Value, json};

fn turn_json(masker: &Masker, turn: &Turn) -> Value {
    json!({
        "role": &*masker.roles()[turn.role as usize], "start": turn.start, "contentStart": turn.content_start,
        "contentEnd": turn.content_end, "end": turn.end, "trained": turn.trained, "terminated": turn.terminated,
    })
}

#[test]
fn table() {
    let cases = vectors("scanner_cases.jsonl");
    assert!(cases.len() >= 40);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let options: MaskerOptions = serde_json::from_value(case["options"].clone()).unwrap();
        let (row, labels) = (ids(&case["input_ids"]), ids(&case["labels"]));
        let masker = Masker::new(&options).unwrap();
        assert_eq!(masker.labels(&row), labels, "{name}");
        let turns: Vec<Value> = masker.turns(&row).iter().map(|turn| turn_json(&masker, turn)).collect();
        assert_eq!(Value::Array(turns), case["turns"], "{name}");
        assert_eq!(naive::labels(&options, &row), labels, "{name}, naive reference");
    }
}

fn chatml() -> MaskerOptions {
    let boundary = |role: &str, name| Boundary {
        role: role.into(),
        starts: vec![vec![1, name]],
        tails: vec![vec![4]],
        ends: vec![End { ids: vec![9], kind: EndKind::Consumed }],
        include_start: false,
    };
    MaskerOptions {
        boundaries: vec![boundary("user", 3), boundary("assistant", 2)],
        ignore_token_ids: vec![0, 30],
        exclude: vec![Exclude { start: vec![50], end: vec![51] }],
        ..MaskerOptions::default()
    }
}

#[test]
fn errors_name_the_boundary_and_the_field() {
    type Edit = fn(&mut MaskerOptions);
    let table: [(Edit, &str, BuildErrorKind, &str); 7] = [
        (|o| o.boundaries[1].role.clear(), "boundaries[1].role", BuildErrorKind::EmptyRole, "empty-role"),
        (
            |o| o.boundaries[1].starts.push(vec![]),
            "boundaries[1].starts[1]",
            BuildErrorKind::EmptyMarker,
            "empty-marker",
        ),
        (|o| o.boundaries[0].tails.push(vec![]), "boundaries[0].tails[1]", BuildErrorKind::EmptyMarker, "empty-marker"),
        (|o| o.boundaries[0].ends[0].ids.clear(), "boundaries[0].ends[0]", BuildErrorKind::EmptyMarker, "empty-marker"),
        (
            |o| o.boundaries[0].ends.push(End { ids: vec![9], kind: EndKind::Before }),
            "boundaries[0].ends[1]",
            BuildErrorKind::AmbiguousEnd,
            "ambiguous-end",
        ),
        (|o| o.exclude[0].start.clear(), "exclude[0].start", BuildErrorKind::EmptyMarker, "empty-marker"),
        (|o| o.roles_to_train.push(String::new()), "rolesToTrain[1]", BuildErrorKind::EmptyRole, "empty-role"),
    ];
    for (edit, path, kind, code) in table {
        let mut options = chatml();
        edit(&mut options);
        let error = Masker::new(&options).unwrap_err();
        assert_eq!((error.path(), error.kind(), error.code()), (path, &kind, code));
        assert!(error.to_string().starts_with(path), "{error}");
        assert!(!error.hint().is_empty());
    }
}

#[test]
fn arrays_that_do_not_fit_are_errors_and_nothing_is_written() {
    let masker = Masker::new(&chatml()).unwrap();
    let row = [1, 2, 4, 7, 9, 0];
    let none = None::<&[u8]>;
    let into = |ids: &[i32], rows, mask: Option<&[u8]>, length| {
        let mut labels = vec![77; length];
        let result = masker.labels_batch_into(ids, rows, mask, &mut labels);
        assert!(result.is_ok() || labels.iter().all(|&label| label == 77));
        result
    };
    let mut short = [77; 5];
    let expected = ShapeError::OutputLength { ids: 6, expected: 6, actual: 5 };
    assert_eq!(masker.labels_into(&row, &mut short), Err(expected.clone()));
    assert_eq!(masker.mask_into(&row, &mut [0; 2]), Err(ShapeError::OutputLength { ids: 6, expected: 1, actual: 2 }));
    assert_eq!(into(&row, Rows::Length(3), none, 5), Err(expected));
    assert_eq!(into(&row, Rows::Length(4), none, 6), Err(ShapeError::RowLength { ids: 6, row_length: 4 }));
    assert_eq!(into(&row, Rows::Length(0), none, 6), Err(ShapeError::RowLength { ids: 6, row_length: 0 }));
    assert_eq!(into(&row, Rows::Length(3), Some(&[1; 5]), 6), Err(ShapeError::MaskLength { ids: 6, actual: 5 }));
    for (offsets, index) in [(&[][..], 0), (&[1, 6], 0), (&[0, 4, 3, 6], 2), (&[0, 7], 1), (&[0, 5], 1)] {
        assert_eq!(into(&row, Rows::Offsets(offsets), none, 6), Err(ShapeError::Offsets { ids: 6, index }));
    }
    assert_eq!(into(&[], Rows::Length(0), none, 0), Ok(()));
    assert_eq!(into(&[], Rows::Offsets(&[0]), none, 0), Ok(()));
    assert_eq!(into(&row, Rows::Offsets(&[0, 0, 6, 6]), none, 6), Ok(()));
}

#[test]
fn padding_by_position_is_not_read_as_a_marker() {
    // The padding id is the end marker; a cut answer stays cut.
    let masker = Masker::new(&MaskerOptions { unterminated: lossmask::Unterminated::Mask, ..chatml() }).unwrap();
    let ids = [9, 1, 2, 4, 7, 9, 1, 2, 4, 8, 9, 9];
    let mask = [0_i64, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0];
    let labels = masker.labels_batch(&ids, Rows::Length(12), Some(&mask)).unwrap();
    assert_eq!(labels, [-100, -100, -100, -100, 7, 9, -100, -100, -100, -100, -100, -100]);
    // A hole is scanned, but never trained; a row of padding alone gives nothing.
    let labels = masker.labels_batch(&[1, 2, 4, 7, 8, 9], Rows::Length(6), Some(&[1, 1, 1, 1, 0, 1])).unwrap();
    assert_eq!(labels, [-100, -100, -100, 7, -100, 9]);
    assert_eq!(masker.labels_batch(&[1, 2, 7], Rows::Length(3), Some(&[0_u8; 3])).unwrap(), [-100; 3]);
}

#[test]
fn ids_beyond_i32() {
    let masker = Masker::new(&chatml()).unwrap();
    let beyond = 1 + (1_i64 << 32);
    assert_eq!(masker.labels(&[beyond, 2, 7, 1, 2, 4, beyond, 9]), [-100, -100, -100, -100, -100, -100, beyond, 9]);
    let labels = masker.labels(&[1_u32, 2, 4, u32::MAX, 9]);
    assert_eq!(labels, [-100, -100, -100, -1, 9]);
    assert_eq!(labels[3].cast_unsigned(), u32::MAX);
}

#[test]
fn the_record_says_what_every_token_is_and_why() {
    let masker = Masker::new(&chatml()).unwrap();
    //          pad  user header  text end  \n  assistant     text image  excluded   text end pad
    let ids = [0, 1, 3, 4, 5, 9, 4, 1, 2, 4, 6, 30, 50, 7, 51, 8, 9, 0];
    let context = RowContext { tokens: Some(1..17), pad_token_ids: &[0] };
    let record = masker.record(&ids, &context);
    let spans: Vec<_> = record
        .spans
        .iter()
        .map(|span| (span.tokens.clone(), span.turn, span.kind, span.trained, span.reason))
        .collect();
    use {Reason as R, TokenKind as K};
    assert_eq!(
        spans,
        [
            (0..1, None, K::Pad, false, R::Pad),
            (1..4, Some(0), K::Header, false, R::RoleNotTrained),
            (4..5, Some(0), K::Content, false, R::RoleNotTrained),
            (5..6, Some(0), K::End, false, R::RoleNotTrained),
            (6..7, None, K::Scaffold, false, R::Outside),
            (7..10, Some(1), K::Header, false, R::Header),
            (10..11, Some(1), K::Content, true, R::Role),
            (11..12, Some(1), K::Media, false, R::Media),
            (12..15, Some(1), K::Content, false, R::Excluded),
            (15..16, Some(1), K::Content, true, R::Role),
            (16..17, Some(1), K::End, true, R::TrainOnEos),
            (17..18, None, K::Pad, false, R::Pad),
        ]
    );
    assert_eq!((record.turns[0].start, record.turns[1].end), (1, 17));
    // Without a position padding is known by its id, and without that an ignored id is media.
    let kinds = |pad_token_ids| {
        let record = masker.record(&[30, 0], &RowContext { tokens: None, pad_token_ids });
        record.spans.iter().map(|span| span.kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&[0]), [K::Media, K::Pad]);
    assert_eq!(kinds(&[]), [K::Media], "equal neighbours are one span");
}

#[test]
fn near_misses_are_located() {
    let masker = Masker::new(&chatml()).unwrap();
    // An undeclared role, a start cut off by the end of the row; a typed marker in content is a start, not a near miss.
    let misses = masker.near_misses(&[1, 7, 1, 2, 4, 1, 3, 8, 9, 1]);
    let miss = |start| NearMiss { boundary: 0, start, matched: 1, expected: 2 };
    assert_eq!(misses, [miss(0), miss(9)]);
}

#[test]
fn end_markers_that_end_nothing_are_found() {
    let strays = |options: &MaskerOptions, row: &[i32]| {
        let found = Masker::new(options).unwrap().diagnose(row);
        assert!(found.iter().all(|diagnosis| diagnosis.code == "stray-end-marker"));
        found
            .into_iter()
            .map(|diagnosis| diagnosis.span.unwrap())
            .map(|span| (span.start, span.end))
            .collect::<Vec<_>>()
    };
    // <start> 1, assistant 2, user 3, newline 4, <end> 9.
    let chatml = chatml();
    // The row, and from where to where the markers are.
    type Case<'a> = (&'a str, &'a [i32], &'a [(usize, usize)]);
    let table: [Case<'_>; 9] = [
        ("plain turns", &[1, 3, 4, 7, 9, 4, 1, 2, 4, 8, 9, 4], &[]),
        ("an end typed in the user's text", &[1, 3, 4, 7, 9, 7, 7, 9, 4, 1, 2, 8, 9], &[(7, 8)]),
        ("an answer without a start", &[1, 2, 8, 9, 8, 8, 9], &[(6, 7)]),
        ("two of them", &[1, 2, 8, 9, 8, 9, 8, 9, 1, 3, 7, 9], &[(5, 6), (7, 8)]),
        ("an undeclared role", &[1, 3, 7, 9, 1, 5, 8, 9, 1, 2, 8, 9], &[(7, 8)]),
        ("two ends in a row", &[1, 3, 7, 9, 9, 1, 2, 8, 9], &[]),
        ("padding by the end's id", &[1, 2, 8, 9, 4, 9, 9, 9], &[]),
        ("text before the first turn", &[9, 9, 7, 9, 1, 2, 8, 9], &[]),
        ("a turn cut off", &[1, 3, 7, 9, 1, 2, 8], &[]),
    ];
    for (name, row, expected) in table {
        assert_eq!(strays(&chatml, row), expected, "{name}");
    }
    let assistant_only = MaskerOptions { boundaries: chatml.boundaries[1..].to_vec(), ..chatml.clone() };
    assert_eq!(strays(&assistant_only, &[1, 3, 7, 9, 1, 2, 8, 9, 1, 3, 7, 9, 1, 2, 8, 9]), [], "prompts lie outside");

    // The next start begins with the end itself: <end> 9, user 3, assistant 2.
    let anchored = |role: &str, name| Boundary {
        role: role.into(),
        starts: vec![vec![9, name]],
        ends: vec![End { ids: vec![9], kind: EndKind::Anchor }],
        ..Boundary::default()
    };
    let anchors =
        MaskerOptions { boundaries: vec![anchored("user", 3), anchored("assistant", 2)], ..MaskerOptions::default() };
    assert_eq!(strays(&anchors, &[9, 3, 7, 9, 2, 8, 9]), []);
    assert_eq!(strays(&anchors, &[9, 3, 7, 9, 7, 7, 9, 2, 8, 9]), [(3, 4)], "the first of the two is the typed one");

    let undeclared = Masker::new(&chatml).unwrap().diagnose(&[1, 3, 7, 9, 1, 5, 8, 9]);
    assert!(undeclared[0].message.contains("a start marker are at token 4"), "{}", undeclared[0].message);
}

#[test]
fn large_batches_are_those_of_their_rows() {
    // Enough tokens for several threads.
    let masker = Masker::new(&chatml()).unwrap();
    let row: Vec<i32> = (0..4096).map(|at| [1, 2, 4, 7, 8, 30, 9, 6][at % 8] + (at / 1000) as i32 % 2).collect();
    let expected = masker.labels(&row);
    let ids = row.repeat(1024);
    let labels = masker.labels_batch(&ids, Rows::Length(4096), None::<&[u8]>).unwrap();
    assert!(labels.chunks(4096).all(|labels| labels == expected));
    let mut in_place = ids;
    masker.labels_batch_in_place(&mut in_place, Rows::Length(4096), None::<&[u8]>).unwrap();
    assert!(in_place == labels);
}

#[test]
fn a_start_in_an_excluded_end_marker_is_trained_by_its_own_turn() {
    let anchor = End { ids: vec![4, 3], kind: EndKind::Anchor };
    let options = MaskerOptions {
        boundaries: vec![
            Boundary { role: "assistant".into(), starts: vec![vec![4, 3]], include_start: true, ..Boundary::default() },
            Boundary { role: "assistant".into(), starts: vec![vec![0]], ends: vec![anchor], ..Boundary::default() },
        ],
        exclude: vec![Exclude { start: vec![4], end: vec![] }],
        ..MaskerOptions::default()
    };
    assert_eq!(Masker::new(&options).unwrap().labels(&[0, 4, 3]), [-100, 4, 3]);
}
