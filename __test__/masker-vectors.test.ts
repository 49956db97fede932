/** What axolotl, TRL and Unsloth answered, recorded, through N-API: from the same tables as the Rust tests. */
import test from 'ava'
import { Masker, type MaskerOptions, type RoleBoundary } from '../src/index.js'
import { type Case, offsetsOf, sharedVectors, vectors } from './helpers/vectors.js'

/** axolotl's boundary is ours, but for the spelling of its names. */
function axolotlOptions(boundaries: Case[], roles: string[] | null, eos: string | null): MaskerOptions {
  return {
    boundaries: boundaries.map(({ role, start, end, include_start, include_end }) => {
      return { role, start, end, includeStart: include_start, includeEnd: include_end }
    }),
    rolesToTrain: roles,
    trainOnEos: eos as MaskerOptions['trainOnEos'],
  }
}

/** Every way to ask for the labels of these rows. */
function outputs(masker: Masker, rows: number[][]): Record<string, number[][]> {
  const flat = rows.flat()
  const offsets = offsetsOf(rows)
  const cut = (labels: ArrayLike<number | bigint>) => {
    const numbers = Array.from(labels, Number)
    return rows.map((_, index) => numbers.slice(offsets[index], offsets[index + 1]))
  }
  const inPlace = Int32Array.from(flat)
  masker.labelsBatch(inPlace, { offsets }, { out: inPlace })
  return {
    'number[]': rows.map(row => [...masker.labels(row)]),
    'in place': cut(inPlace),
    Uint32Array: cut(masker.labelsBatch(Uint32Array.from(flat), { offsets: Uint32Array.from(offsets) })),
    BigInt64Array: cut(masker.labelsBatch(BigInt64Array.from(flat, BigInt), { offsets })),
  }
}

function check(
  t: { deepEqual(a: unknown, b: unknown, message?: string): unknown },
  id: string,
  masker: Masker,
  rows: number[][],
  expected: number[][],
) {
  for (const [way, labels] of Object.entries(outputs(masker, rows))) t.deepEqual(labels, expected, `${id}: ${way}`)
}

test('scanner_random', t => {
  const cases = vectors('scanner_random.jsonl')
  for (const { id, boundaries, roles_to_train, train_on_eos, input_ids, labels } of cases) {
    check(t, id, new Masker(axolotlOptions(boundaries, roles_to_train, train_on_eos)), input_ids, labels)
  }
  t.is(cases.length, 3500)
})

test('axolotl_cases: scan', t => {
  const cases = vectors('axolotl_cases.jsonl').filter(({ kind }) => kind === 'scan')
  for (const { id, role_boundaries, roles_to_train, train_on_eos, input_ids, labels } of cases) {
    check(t, id, new Masker(axolotlOptions(role_boundaries, roles_to_train, train_on_eos)), input_ids, labels)
  }
  t.is(cases.length, 10)
})

test('scanner_cases: labels and turns', t => {
  const cases = vectors('scanner_cases.jsonl')
  for (const { name, options, input_ids, labels, turns } of cases) {
    const masker = new Masker(publicOptions(options))
    t.deepEqual([...masker.labels(input_ids)], labels, name)
    t.deepEqual(masker.turns(input_ids), turns, name)
    t.deepEqual(masker.turns(BigInt64Array.from(input_ids, BigInt)), turns, name)
  }
  t.true(cases.length >= 40)
})

/** The core's shape of options in the public one. */
function publicOptions({ boundaries, ...options }: Case): MaskerOptions {
  return { ...options, boundaries: boundaries.map(publicBoundary) }
}

function publicBoundary({ role, starts, tails = [], ends = [], includeStart = false }: Case): RoleBoundary {
  const of = (kind: string) => ends.filter((end: Case) => end.kind === kind).map((end: Case) => end.ids)
  return {
    role,
    start: starts,
    tail: tails,
    end: of('consumed'),
    endBefore: of('before'),
    endAnchor: of('anchor'),
    includeStart,
  }
}

test('trl_multirole: the multi-role change', t => {
  const cases = vectors('trl_multirole_random.jsonl').filter(({ ambiguous_overlap }) => !ambiguous_overlap)
  for (const row of cases) t.deepEqual([...completionOnly(row, false).labels(row.input_ids)], row.labels, row.id)
  t.is(cases.length, 847)
})

test('trl_multirole: the class of v0.19', t => {
  for (const row of vectors('trl_multirole_random.jsonl')) {
    const masker = completionOnly(row, true)
    t.deepEqual([...masker.labels(row.input_ids)], row.classic_labels, row.id)
    const warnings = masker.templateWarnings(row.input_ids).map(name => name.replaceAll('-', '_'))
    t.deepEqual(warnings, row.classic_warnings, row.id)
  }
})

function completionOnly(row: Case, classic: boolean): Masker {
  const instruction = classic ? row.instruction_ids.slice(0, 1) : row.instruction_ids
  return Masker.completionOnly({
    response: row.response_ids,
    instruction,
    padTokenId: row.pad_token_id ?? undefined,
    classic,
  })
}

test('unsloth', t => {
  const cases = vectors('unsloth_random.jsonl')
  for (const row of cases) {
    const masker = responsesOnly(row)
    for (const [index, ids] of row.input_ids.entries()) {
      const old = row.old_labels?.[index]
      const labels = old === undefined ? masker.labels(ids) : masker.maskLabels(ids, Int32Array.from(old))
      t.deepEqual([...labels], row.labels[index], row.id)
    }
  }
  t.is(cases.length, 630)
})

function responsesOnly({ instruction_ids, response_ids, last_response_only }: Case): Masker {
  return Masker.responsesOnly({
    instruction: instruction_ids,
    response: response_ids,
    lastResponseOnly: last_response_only,
  })
}

test('trl_multirole and unsloth on real conversations', t => {
  for (const row of sharedVectors('trl_multirole.jsonl').filter(({ kind }) => kind === 'real')) {
    t.deepEqual(keepSpans(completionOnly(row, false).labels(row.input_ids)), row.keep_spans, row.id)
    t.deepEqual(keepSpans(completionOnly(row, true).labels(row.input_ids)), row.classic_keep_spans, row.id)
  }
  for (const row of sharedVectors('unsloth.jsonl').filter(({ kind }) => kind === 'real')) {
    const masker = responsesOnly(row)
    t.deepEqual(
      row.input_ids.map((ids: number[]) => keepSpans(masker.labels(ids))),
      row.keep_spans,
      row.id,
    )
  }
  t.pass()
})

function keepSpans(labels: Int32Array | BigInt64Array): [number, number][] {
  const spans: [number, number][] = []
  for (const [at, label] of Array.from(labels, Number).entries()) {
    if (label === -100) continue
    const last = spans.at(-1)
    if (last?.[1] === at) last[1] = at + 1
    else spans.push([at, at + 1])
  }
  return spans
}
