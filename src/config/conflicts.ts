/** What no single key of a config says. */
import { parseSplit } from '../datasets/split.js'
import type { Issue } from '../errors.js'
import { show } from './issues.js'
import { isMapping } from './keys.js'
import { type Path, pathText, type Source } from './source.js'

/** What no single key says: keys that need or contradict each other. */
export function conflicts(config: Record<string, unknown>, source: Source): Issue[] {
  const lists = ['datasets', 'test_datasets'].flatMap(list => {
    const items = config[list]
    return Array.isArray(items) ? items.map((item, index) => [[list, index] as Path, item] as const) : []
  })
  const parts = [[[] as Path, config] as const, ...lists.filter(([, item]) => isMapping(item))]
  return [
    ...unsupportedIssues(config, source),
    ...rewardIssues(config, source),
    ...pretrainingIssues(config, source),
    ...lists.flatMap(([path, part]) => splitIssues(path, part, source)),
    ...parts.flatMap(([path, part]) => [
      ...templateIssues(path, part, config, source),
      ...mappingIssues(path, part, source),
    ]),
  ]
}

/** Keys that change what a text is tokenized to, and that cannot be followed: left out, every row would be wrong. */
function unsupportedIssues(config: Record<string, unknown>, source: Source): Issue[] {
  const key = 'added_tokens_overrides'
  if (config[key] === undefined || config[key] === null) return []
  return [
    {
      code: 'config-unsupported-key',
      message: `\`${key}\` renames tokens of the model's tokenizer, which lossmask does not do`,
      path: key,
      ...source.keyPlace([key]),
      hint: 'rename them once with axolotl or transformers, save the tokenizer, and name its folder in `tokenizer`',
    },
  ]
}

/** `rl` values whose rows come from the trainer itself. */
const ONLINE: Readonly<Record<string, string>> = {
  grpo: 'its answers are sampled while it trains',
  gdpo: 'its answers are sampled while it trains',
  ebft: 'its answers are sampled while it trains',
}

/** `rl` values that train on pairs, or on single answers with a verdict. */
const PREFERENCE = new Set(['dpo', 'ipo', 'orpo', 'kto', 'simpo'])

/** Types of rows that hold no pairs, whatever `rl` says. */
const SUPERVISED = /^(?:input_output|completion|alpaca(?:[:_.].*)?|sharegpt|messages)$/u

function rewardIssues(config: Record<string, unknown>, source: Source): Issue[] {
  const { rl, datasets } = config
  if (typeof rl !== 'string') return []
  const online = ONLINE[rl]
  if (online !== undefined) {
    return [
      {
        code: 'config-unsupported-key',
        message: `\`rl: ${rl}\` has no rows to prepare: ${online}`,
        path: 'rl',
        ...source.valuePlace(['rl']),
        hint: 'lossmask mask labels the rollouts; supervised and preference datasets are prepared here',
      },
    ]
  }
  if (!PREFERENCE.has(rl) || !Array.isArray(datasets)) return []
  return datasets.flatMap((dataset, index) => {
    const type = isMapping(dataset) ? dataset.type : undefined
    if (typeof type !== 'string' || !(SUPERVISED.test(type) || (type === 'chat_template' && rl !== 'orpo'))) return []
    const path = ['datasets', index, 'type']
    return [
      {
        code: 'config-conflict',
        message: `\`rl: ${rl}\` trains on ${rl === 'kto' ? 'answers with a verdict' : 'pairs of answers'}, and \`type: ${type}\` reads single ones`,
        path: pathText(path),
        ...source.valuePlace(path),
        hint: 'remove `rl` for supervised training, or name a preference type such as chat_template.default',
      },
    ]
  })
}

/** Either rows of text alone, or datasets. */
function pretrainingIssues(config: Record<string, unknown>, source: Source): Issue[] {
  const given = (key: string) => {
    const value = config[key]
    return value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0)
  }
  if (!given('pretraining_dataset') || !given('datasets')) return []
  const { line } = source.keyPlace(['datasets'])
  return [
    {
      code: 'config-conflict',
      message: `\`pretraining_dataset\` and \`datasets\`${line === undefined ? '' : ` (line ${line})`} are both given: axolotl trains on the first and leaves the other aside`,
      path: 'pretraining_dataset',
      ...source.keyPlace(['pretraining_dataset']),
      hint: 'keep one of them',
    },
  ]
}

function splitIssues(path: Path, part: unknown, source: Source): Issue[] {
  const split = isMapping(part) ? part.split : undefined
  const parsed = typeof split === 'string' ? parseSplit(split) : []
  if (!('wrong' in parsed)) return []
  const place = [...path, 'split']
  return [
    {
      code: 'split-unsupported',
      message: `not a split that can be read: ${parsed.wrong}`,
      path: pathText(place),
      ...source.valuePlace(place),
      hint: 'write train, train[:20%], train[10:] or train+test',
    },
  ]
}

function templateIssues(
  path: Path,
  part: Record<string, unknown>,
  config: Record<string, unknown>,
  source: Source,
): Issue[] {
  if (
    part.chat_template !== 'jinja' ||
    part.chat_template_jinja ||
    (path.length > 0 && Boolean(config.chat_template_jinja))
  )
    return []
  return [
    {
      code: 'config-missing-key',
      message: '`chat_template: jinja` needs `chat_template_jinja`',
      path: pathText([...path, 'chat_template_jinja']),
      ...source.valuePlace([...path, 'chat_template']),
      hint: 'write the template there, or the path of its file',
    },
  ]
}

/** axolotl's older `message_field_role` and `message_field_content` may not contradict the mappings. */
function mappingIssues(path: Path, part: Record<string, unknown>, source: Source): Issue[] {
  const mappings = part.message_property_mappings
  return ['role', 'content'].flatMap(property => {
    const older = part[`message_field_${property}`]
    const newer = isMapping(mappings) ? mappings[property] : undefined
    if (older === undefined || older === null || newer === undefined || older === newer) return []
    const place = [...path, `message_field_${property}`]
    return [
      {
        code: 'config-conflict',
        message: `message_field_${property} is ${show(older)}, message_property_mappings.${property} is ${show(newer)}`,
        path: pathText(place),
        ...source.keyPlace(place),
        hint: `keep message_property_mappings.${property}: message_field_${property} is its older name`,
      },
    ]
  })
}
