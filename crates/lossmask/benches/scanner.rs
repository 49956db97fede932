//! The scanner beside a memory copy of the same row, in the same run: `cargo bench -p lossmask`, or `npm run bench` for the
//! whole table. Results are compared with a plain scan before anything is timed. `--json` prints one JSON document, `--quick`
//! leaves out the rows that no cache holds, `--filter TEXT` runs the cases whose name contains it, `--rounds N` repeats
//! them. `--once` calls each output once instead, for `npm run bench:instructions`.

use std::hint::black_box;
use std::time::Instant;

use lossmask::{Boundary, End, EndKind, Engine, Masker, MaskerOptions};
use serde_json::json;

/// A generator of the same numbers everywhere (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }
}

/// How a family writes a conversation, as ids.
struct Family {
    name: &'static str,
    options: MaskerOptions,
    /// The headers of a user's and an assistant's turn.
    headers: [Vec<i32>; 2],
    /// What ends a turn, and what lies between turns.
    end: Vec<i32>,
}

fn consumed(ids: &[i32]) -> Vec<End> {
    vec![End { ids: ids.to_vec(), kind: EndKind::Consumed }]
}

fn family(
    name: &'static str,
    cores: &[(&str, &[i32])],
    tail: &[i32],
    end: &[i32],
    gap: &[i32],
    ignored: &[i32],
) -> Family {
    let header = |role| {
        let core = cores.iter().find(|core| core.0 == role).unwrap().1;
        [core, tail].concat()
    };
    Family {
        name,
        headers: [header("user"), header("assistant")],
        end: [end, gap].concat(),
        options: MaskerOptions {
            boundaries: cores
                .iter()
                .map(|(role, core)| Boundary {
                    role: (*role).to_owned(),
                    starts: vec![core.to_vec()],
                    tails: vec![tail.to_vec()],
                    ends: consumed(end),
                    include_start: false,
                })
                .collect(),
            ignore_token_ids: ignored.to_vec(),
            ..MaskerOptions::default()
        },
    }
}

fn families() -> Vec<Family> {
    let chatml: [(&str, &[i32]); 4] = [
        ("system", &[151_644, 8948]),
        ("user", &[151_644, 872]),
        ("assistant", &[151_644, 77_091]),
        ("tool", &[151_644, 14_172]),
    ];
    let llama3: [(&str, &[i32]); 4] = [
        ("system", &[128_006, 9125, 128_007]),
        ("user", &[128_006, 882, 128_007]),
        ("assistant", &[128_006, 78_191, 128_007]),
        ("tool", &[128_006, 14_506, 128_007]),
    ];
    let gemma: [(&str, &[i32]); 2] = [("user", &[105, 2364]), ("assistant", &[105, 4368])];
    vec![
        family("chatml", &chatml, &[198], &[151_645], &[198], &[151_643, 151_652, 151_653, 151_655]),
        family("llama3", &llama3, &[271], &[128_009], &[], &[128_004, 128_256]),
        family("gemma3", &gemma, &[107], &[106], &[107], &[0, 255_999, 256_000, 262_144]),
    ]
}

/// 64 roles, each with a start of its own.
fn many_boundaries() -> MaskerOptions {
    let boundary = |number: i32| Boundary {
        role: format!("role{number}"),
        starts: vec![vec![1000 + number, 2000 + number]],
        tails: vec![vec![198]],
        ends: consumed(&[3000]),
        include_start: false,
    };
    MaskerOptions {
        boundaries: (0..64).map(boundary).collect(),
        roles_to_train: (0..32).map(|number| format!("role{number}")).collect(),
        ..MaskerOptions::default()
    }
}

fn conversation(family: &Family, turn: usize, length: usize) -> Vec<i32> {
    let mut random = Random(0x5eed + turn as u64);
    let mut ids = Vec::with_capacity(length + 2 * turn + 16);
    let mut assistant = 0;
    while ids.len() < length {
        ids.extend(&family.headers[assistant]);
        let content = turn / 2 + random.below(turn) + 1;
        ids.extend((0..content).map(|_| 5000 + random.below(90_000) as i32));
        ids.extend(&family.end);
        assistant ^= 1;
    }
    ids.truncate(length);
    ids
}

struct Case {
    name: String,
    options: MaskerOptions,
    ids: Vec<i32>,
}

const L2: usize = 8192;
const MILLION: usize = 1 << 20;

fn cases(quick: bool) -> Vec<Case> {
    let mut cases = vec![];
    let sizes = [("L2", L2), ("1M", MILLION), ("64M", 64 * MILLION)];
    for (size, length) in &sizes[..if quick { 2 } else { 3 }] {
        for turn in [30, 200, 2000] {
            let family = &families()[0];
            let ids = conversation(family, turn, *length);
            cases.push(Case { name: format!("chatml {size} turns {turn}"), options: family.options.clone(), ids });
        }
    }
    for family in &families()[1..] {
        for turn in [30, 200, 2000] {
            let name = format!("{} L2 turns {turn}", family.name);
            cases.push(Case { name, options: family.options.clone(), ids: conversation(family, turn, L2) });
        }
    }
    cases.extend(adversarial());
    cases
}

fn adversarial() -> Vec<Case> {
    let mut random = Random(7);
    let mut row = |id: fn(&mut Random) -> i32| -> Vec<i32> { (0..L2).map(|_| id(&mut random)).collect() };
    let chatml = families().remove(0).options;
    let repeated = |unit: &[i32]| unit.iter().copied().cycle().take(L2).collect::<Vec<_>>();
    let long_start = |ids: Vec<i32>| MaskerOptions {
        boundaries: vec![Boundary {
            role: "assistant".into(),
            starts: vec![ids],
            ends: consumed(&[3]),
            ..Boundary::default()
        }],
        ..MaskerOptions::default()
    };
    let many = many_boundaries();
    let mut same = vec![1; 16];
    same[15] = 2;
    let case = |name: &str, options: &MaskerOptions, ids| Case { name: name.into(), options: options.clone(), ids };
    let many_turns = {
        let mut random = Random(9);
        let mut ids = vec![];
        while ids.len() < L2 {
            let number = random.below(64) as i32;
            ids.extend([1000 + number, 2000 + number, 198]);
            ids.extend((0..20 + random.below(20)).map(|_| 5000 + random.below(90_000) as i32));
            ids.push(3000);
        }
        ids.truncate(L2);
        ids
    };
    vec![
        case("64 boundaries, turns 30", &many, many_turns),
        case("64 boundaries, every token a first token", &many, row(|r| 1000 + r.below(64) as i32)),
        case(
            "64 boundaries, first and second tokens at random",
            &many,
            row(|r| [1000, 2000][r.below(2)] + r.below(64) as i32),
        ),
        case("every token the start's first", &chatml, repeated(&[151_644])),
        case("start without its role", &chatml, repeated(&[151_644, 198])),
        case("starts inside a turn", &chatml, [vec![151_644, 77_091], repeated(&[151_644, 872])].concat()),
        case("turns of one token", &chatml, repeated(&[151_644, 77_091, 198, 9, 151_645])),
        case("near miss on the sixth token", &long_start(vec![1, 2, 3, 4, 5, 6]), repeated(&[1, 2, 3, 4, 5, 7])),
        case("near miss on the sixteenth of equal tokens", &long_start(same), repeated(&[1])),
    ]
}

/// What is trained, found token by token.
fn plain(options: &MaskerOptions, ids: &[i32]) -> Vec<i32> {
    let mut labels = vec![options.ignore_index; ids.len()];
    let mut at = 0;
    while at < ids.len() {
        let matching = |b: &&Boundary| ids[at..].starts_with(&b.starts[0]);
        let Some(boundary) = options.boundaries.iter().find(matching) else {
            at += 1;
            continue;
        };
        at += boundary.starts[0].len();
        at += boundary.tails.first().map_or(0, |tail| if ids[at..].starts_with(tail) { tail.len() } else { 0 });
        let trained = options.roles_to_train.contains(&boundary.role);
        let end = &boundary.ends[0].ids;
        let close = (at..ids.len()).find(|&at| ids[at..].starts_with(end)).map_or(ids.len(), |at| at + end.len());
        if trained {
            for at in at..close {
                if !options.ignore_token_ids.contains(&ids[at]) {
                    labels[at] = ids[at];
                }
            }
        }
        at = close;
    }
    labels
}

/// Seconds of one call, over as many calls as take about a millisecond.
fn time(calls: usize, mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        call();
    }
    start.elapsed().as_secs_f64() / calls as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Medians of G tokens/s and of the ratio to the copy beside it.
struct Figure {
    speed: f64,
    ratio: f64,
}

type Output = (&'static str, Box<dyn FnMut()>);

fn outputs(masker: &Masker, case: &Case, all: bool) -> Vec<Output> {
    let row = || case.ids.clone();
    let length = case.ids.len();
    let (m, ids, mut out) = (masker.clone(), row(), vec![0_i32; length]);
    let mut outputs: Vec<Output> =
        vec![("labels", Box::new(move || m.labels_into(black_box(&ids), black_box(&mut out)).unwrap()))];
    if all {
        let (m, ids, mut work) = (masker.clone(), row(), row());
        outputs.push((
            "copy, then in place",
            Box::new(move || {
                black_box(&mut work).copy_from_slice(black_box(&ids));
                m.labels_in_place(black_box(&mut work));
            }),
        ));
        let (m, ids, mut bits) = (masker.clone(), row(), vec![0_u8; length.div_ceil(8)]);
        outputs.push(("bits", Box::new(move || m.mask_into(black_box(&ids), black_box(&mut bits)).unwrap())));
        let (m, ids) = (masker.clone(), row());
        outputs.push(("turns", Box::new(move || drop(black_box(m.turns(black_box(&ids)))))));
        let wide: Vec<i64> = case.ids.iter().map(|&id| i64::from(id)).collect();
        let (m, mut out) = (masker.clone(), vec![0_i64; length]);
        outputs.push(("i64", Box::new(move || m.labels_into(black_box(&wide), black_box(&mut out)).unwrap())));
    }
    outputs
}

/// Times the outputs and a copy in turn.
fn measure(case: &Case, outputs: &mut [Output], rounds: usize) -> (f64, Vec<Figure>) {
    let length = case.ids.len();
    let calls = (400_000 / length).max(1);
    let rounds = if length > 8 * MILLION { 7 } else { rounds };
    let (from, mut to) = (case.ids.clone(), vec![0_i32; length]);
    let mut copies = vec![];
    let mut times = vec![vec![]; outputs.len()];
    for _ in 0..rounds {
        copies.push(time(calls, || black_box(&mut to).copy_from_slice(black_box(&from))));
        for (output, times) in outputs.iter_mut().zip(&mut times) {
            times.push(time(calls, &mut output.1));
        }
    }
    let speed = |seconds: f64| length as f64 / seconds / 1e9;
    let figure = |times: Vec<f64>| Figure {
        ratio: median(copies.iter().zip(&times).map(|(copy, time)| copy / time).collect()),
        speed: speed(median(times)),
    };
    (speed(median(copies.clone())), times.into_iter().map(figure).collect())
}

/// One call, under a name that a profiler can be told to count from and to.
#[unsafe(no_mangle)]
#[inline(never)]
fn lossmask_counted_call(call: &mut dyn FnMut()) {
    call();
}

/// Calls each output of the cases once and prints their names in the order of the calls.
fn call_once(filter: Option<&String>) {
    for case in cases(true).iter().filter(|case| filter.is_none_or(|filter| case.name.contains(filter.as_str()))) {
        let masker = Masker::new(&case.options).unwrap();
        assert_eq!(masker.labels(&case.ids), plain(&case.options, &case.ids), "{}", case.name);
        for (output, mut call) in outputs(&masker, case, true) {
            // The first call may allocate what the later ones reuse.
            call();
            lossmask_counted_call(&mut call);
            println!("{}, {output}", case.name);
        }
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let has = |flag: &str| args.iter().any(|arg| arg == flag);
    let filter = args.iter().position(|arg| arg == "--filter").and_then(|at| args.get(at + 1));
    if has("--once") {
        return call_once(filter);
    }
    let engines = if has("--engines") { Engine::available() } else { &[Engine::fastest()] };
    let rounds = args.iter().position(|arg| arg == "--rounds").and_then(|at| args.get(at + 1)?.parse().ok());
    let rounds = rounds.unwrap_or(41);
    let mut rows = vec![];
    for case in cases(has("--quick")) {
        if filter.is_some_and(|filter| !case.name.contains(filter.as_str())) {
            continue;
        }
        for &engine in engines {
            let masker = Masker::with_engine(&case.options, engine).unwrap();
            if case.ids.len() <= MILLION {
                assert_eq!(masker.labels(&case.ids), plain(&case.options, &case.ids), "{}", case.name);
            }
            let mut outputs = outputs(&masker, &case, has("--outputs") && case.ids.len() <= MILLION);
            let (copy, figures) = measure(&case, &mut outputs, rounds);
            for ((output, _), figure) in outputs.iter().zip(&figures) {
                if !has("--json") {
                    let name = format!("{} [{}]", case.name, engine.name());
                    println!(
                        "{name:<60} {output:<20} {:>6.2} G/s  {:>5.2} of copy ({copy:.2})",
                        figure.speed, figure.ratio
                    );
                }
                rows.push(json!({
                    "case": case.name, "engine": engine.name(), "output": output, "tokens": case.ids.len(),
                    "gigatokensPerSecond": figure.speed, "copyGigatokensPerSecond": copy, "ratioToCopy": figure.ratio,
                }));
            }
        }
    }
    if has("--json") {
        println!("{}", json!(rows));
    }
}
