import type { Config, DatasetConfig } from '../config/index.js'
import { LossmaskError } from '../errors.js'
import { rowTypeOf } from '../formats/index.js'
import {
  detectStrategy,
  listStrategies,
  type Notice,
  type ResolvedStrategy,
  resolveStrategy,
  type Strategy,
} from '../strategies/index.js'
import type { LoadedTokenizer } from '../tokenizer/index.js'
import { defined } from './defined.js'
import { mediaSpec } from './media.js'
import type { EncoderSpec, FieldSpec, FormatSpec, MaskerSpec } from './spec.js'
import { type ChosenTemplate, chooseTemplate, templateNotices } from './template.js'

/** How one dataset is masked. */
export interface CompiledDataset {
  /** Where it stands in the config: `datasets[0]`. */
  place: string
  /** The model family; absent where the config's own boundaries or a text route stand alone. */
  strategy?: Strategy
  /** What told the family. */
  why: string
  resolved: ResolvedStrategy
  template?: ChosenTemplate
  encoder: EncoderSpec
  /** What is odd about the choice of template and family. */
  notices: Notice[]
}

/** Compiles how one dataset's rows are encoded. `bases` are the folders in which relative paths are looked up. */
export function compileDataset(
  config: Config,
  dataset: DatasetConfig,
  place: string,
  tokenizer: LoadedTokenizer,
  bases: readonly string[],
): CompiledDataset {
  const rowType = rowTypeOf(dataset.type)
  const segments = rowType !== 'chat_template'
  const choice = templateChoice(config, dataset, place)
  const template = segments
    ? undefined
    : chooseTemplate(
        choice,
        tokenizer,
        listStrategies().map(each => each.name),
        bases,
      )
  const { lossmask } = config
  const textOnly = segments || lossmask.route === 'generation' || lossmask.route === 'content'
  const { strategy, why } = detectStrategy({
    tokenizer,
    strategy: lossmask.strategy,
    chatTemplate: choice.chatTemplate,
    templateText: template?.source,
    processorClass: tokenizer.processorClass,
    modelType: tokenizer.modelType,
    optional: textOnly || config.roleBoundaries.length > 0,
  })
  const resolved = resolveStrategy(strategy, tokenizer, {
    roleBoundaries: config.roleBoundaries,
    rolesToTrain: dataset.rolesToTrain?.map(role => rolesOf(dataset)[role] ?? role),
    trainOnEos: dataset.trainOnEos,
    trainOnInputs: config.trainOnInputs,
    legacyFallback: lossmask.legacyFallback,
    unsafeScan: lossmask.unsafeScan,
    mediaTokens: lossmask.media.tokens,
    // A family nobody knows, or one that ids do not tell, is masked by a text route; one whose markers are not there is an error.
    boundariesOptional:
      textOnly || (lossmask.route === 'auto' && template !== undefined && strategy?.scannable !== true),
    exclude: lossmask.exclude,
  })
  const encoder: EncoderSpec = {
    rowType,
    ...(rowType === 'format' ? { format: formatSpec(config, dataset, tokenizer) } : {}),
    ...(template === undefined
      ? {}
      : templateSpecs(template, { ...tokenizer.specialTokens, ...config.chatTemplateKwargs })),
    masker: maskerSpec(config, resolved),
    mediaTokenIds: resolved.mediaTokenIds,
    suspectMediaIds: suspectMedia(tokenizer, resolved.mediaTokenIds),
    scannable: resolved.boundaries.length > 0,
    ...defined({
      route: lossmask.route,
      injection: lossmask.injection,
      straddle: lossmask.straddle,
      rows: lossmask.rows,
      reasoning: lossmask.reasoning,
      scaffold: lossmask.scaffold,
      eosTokenId: tokenizer.eosTokenId,
      weights: lossmask.weights,
      trainOnEot: dataset.trainOnEot,
      padTokenId: tokenizer.padTokenId,
      media: mediaSpec(config, tokenizer, bases),
    }),
    fields: fieldSpec(dataset, lossmask),
    eotTokenIds: eotIds(config.eotTokens, tokenizer),
  }
  const notices = [...templateNotices(choice, template), ...resolved.notices]
  return { place, why, resolved, notices, encoder, ...defined({ strategy, template }) }
}

/** The dataset's format, with the tokens that it may put around a text. */
function formatSpec(
  config: Config,
  { type, conversation, field }: DatasetConfig,
  tokenizer: LoadedTokenizer,
): FormatSpec {
  const { bosTokenId, eosTokenId } = tokenizer
  const options = defined({ conversation, field })
  return { type, options, ...defined({ bosTokenId, eosTokenId, sequenceLen: config.sequenceLen }) }
}

const mediaName = /^[<[].*(image|img|video|audio|vision)/i

/** Added tokens named like media that nobody declared as such. */
function suspectMedia({ addedTokens }: LoadedTokenizer, declared: readonly number[]): number[] {
  return addedTokens.filter(({ id, content }) => mediaName.test(content) && !declared.includes(id)).map(({ id }) => id)
}

/** A dataset that names a template says all of it, but for a `jinja` source that may stand at the root; else the root does. */
function templateChoice(config: Config, dataset: DatasetConfig, place: string) {
  const own = dataset.chatTemplate !== undefined || dataset.chatTemplateJinja !== undefined
  const named = { own: config.lossmask.template }
  if (!own)
    return { ...named, chatTemplate: config.chatTemplate, chatTemplateJinja: config.chatTemplateJinja, place: '' }
  const { chatTemplate, chatTemplateJinja } = dataset
  return {
    ...named,
    chatTemplate,
    chatTemplateJinja: chatTemplateJinja ?? config.chatTemplateJinja,
    place: `${place}.`,
  }
}

function templateSpecs({ tools, ...template }: ChosenTemplate, variables: Record<string, unknown>) {
  const toolTemplate = tools === undefined ? {} : { toolTemplate: { ...tools, variables } }
  return { template: { ...template, variables }, ...toolTemplate }
}

function maskerSpec(config: Config, resolved: ResolvedStrategy): MaskerSpec {
  const { lossmask } = config
  return {
    boundaries: resolved.boundaries,
    rolesToTrain: resolved.rolesToTrain,
    trainOnEos: resolved.trainOnEos,
    trainOnInputs: resolved.trainOnInputs,
    ignoreTokenIds: resolved.mediaTokenIds,
    exclude: resolved.exclude,
    ...defined({
      trainOnSharedEnd: lossmask.trainOnSharedEnd,
      unterminated: lossmask.unterminated,
      turns: lossmask.turns,
    }),
  }
}

function fieldSpec(dataset: DatasetConfig, lossmask: Config['lossmask']): FieldSpec {
  return defined({
    messages: dataset.fieldMessages,
    messageProperties: propertyMappings(dataset),
    roles: dataset.roles === undefined ? undefined : invert(dataset.roles),
    tools: dataset.fieldTools,
    training: dataset.messageFieldTraining,
    trainingDetail: dataset.messageFieldTrainingDetail,
    dropSystemMessage: dataset.dropSystemMessage,
    splitThinking: dataset.splitThinking,
    nulls: lossmask.nulls,
    arguments: lossmask.arguments,
  })
}

/** `message_property_mappings`, and axolotl's `field_thinking`, which is one of them. */
function propertyMappings({ messagePropertyMappings: mappings, fieldThinking, templateThinkingKey }: DatasetConfig) {
  if (fieldThinking === undefined) return mappings
  return { [templateThinkingKey ?? 'reasoning_content']: fieldThinking, ...mappings }
}

/** Names of roles in the data and in `roles_to_train`, and the roles they mean: the dataset's own, or axolotl's. */
function rolesOf({ roles }: DatasetConfig): Readonly<Record<string, string>> {
  return roles === undefined ? { human: 'user', gpt: 'assistant' } : invert(roles)
}

/** `{ user: ['human'] }` -> `{ human: 'user' }` */
function invert(roles: Readonly<Record<string, readonly string[]>>): Record<string, string> {
  return Object.fromEntries(Object.entries(roles).flatMap(([role, names]) => names.map(name => [name, role])))
}

function eotIds(tokens: readonly string[], tokenizer: LoadedTokenizer): number[] {
  return tokens.map((token, index) => {
    const ids = tokenizer.encode(token)
    if (ids.length === 1) return ids[0] as number
    throw new LossmaskError(
      'eot-token-unknown',
      `${JSON.stringify(token)} is not one token of this tokenizer, but ${ids.length}`,
      {
        path: `eot_tokens[${index}]`,
        hint: 'declare it under tokens or special_tokens, or name the token that ends a turn in the template',
      },
    )
  })
}
