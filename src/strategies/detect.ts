import { LossmaskError } from '../errors.js'
import { encodeMarker, isUnknown } from './markers.js'
import { findStrategy, knownStrategy, listStrategies } from './registry.js'
import { resolveStrategy } from './resolve.js'
import type { DetectionHints, MarkerTokenizer, Strategy } from './types.js'

/** What a family is told by. */
export interface DetectionInput {
  /** The config's `lossmask.strategy`: it decides alone. */
  strategy?: string | undefined
  /** Whether anything but the family says where turns are; then an ambiguity is no error, and the first candidate is taken. */
  optional?: boolean | undefined
  /** The config's `chat_template`. */
  chatTemplate?: string | undefined
  /** The text of the template in use; default the tokenizer's own. */
  templateText?: string | undefined
  /** Class of the model's processor (`processor_config.json`). */
  processorClass?: string | undefined
  /** `model_type` of the model's `config.json`. */
  modelType?: string | undefined
  tokenizer: MarkerTokenizer
}

/** The family, if any, and what told it. */
export interface Detection {
  strategy: Strategy | undefined
  /** For people: `chat_template: qwen2_vl`; `the vocabulary has <|im_start|> ..., the template holds ...`. */
  why: string
}

const NOT_A_FAMILY = /^(?:tokenizer_default|tokenizer_default_fallback_.*|jinja)$/u

/**
 * The family of a model: by the config's `lossmask.strategy` or `chat_template`, else by the tokens and the chat template of the tokenizer. Where those fit
 * several families, model type and processor class decide, and families that would mask alike count as one.
 *
 * `strategy` is `undefined` when nothing fits: the text routes need none.
 *
 * @throws LossmaskError `strategy-unknown` for a `strategy` nobody knows, `strategy-ambiguous` with the candidates.
 */
export function detectStrategy(input: DetectionInput): Detection {
  if (input.strategy !== undefined) {
    return { strategy: knownStrategy(input.strategy, 'lossmask.strategy'), why: `lossmask.strategy: ${input.strategy}` }
  }
  const named =
    input.chatTemplate === undefined || NOT_A_FAMILY.test(input.chatTemplate) ? undefined : input.chatTemplate
  const byName = named === undefined ? undefined : findStrategy(named)
  if (byName !== undefined) return { strategy: byName, why: `chat_template: ${named}` }
  const template = input.templateText ?? input.tokenizer.chatTemplate
  const candidates = bestCandidates(input.tokenizer, template)
  const [first, ...others] = candidates
  if (first === undefined) {
    return { strategy: undefined, why: 'no family has the control tokens of this tokenizer with such a chat template' }
  }
  const declared = candidates.find(candidate => isDeclared(candidate.strategy, input))
  if (declared !== undefined && candidates.length > 1) {
    return { strategy: declared.strategy, why: `${describe(declared.hints, template)}; ${declaration(input)}` }
  }
  const alike = others.filter(other => masksAlike(first.strategy, other.strategy, input.tokenizer))
  if (alike.length === others.length) return { strategy: first.strategy, why: describe(first.hints, template) }
  if (input.optional === true) {
    const names = candidates.map(candidate => candidate.strategy.name).join(', ')
    return { strategy: first.strategy, why: `the first of several that fit: ${names}` }
  }
  throw ambiguous(candidates.map(candidate => candidate.strategy))
}

interface Candidate {
  strategy: Strategy
  hints: DetectionHints
}

/**
 * The families whose hints hold, those with the most conditions only: tokens count before template text. Without a template, families that
 * are told by their tokens alone go before those that are not, and the latter cannot be told from each other.
 */
function bestCandidates(tokenizer: MarkerTokenizer, template: string | undefined): Candidate[] {
  const fitting = listStrategies().flatMap(strategy => {
    const hints = strategy.detect.find(candidate => holds(candidate, tokenizer, template))
    return hints === undefined ? [] : [{ strategy, hints }]
  })
  const weight = ({ hints }: Candidate) => {
    if (template === undefined && hints.template !== undefined) return 0
    return 100 * (hints.tokens?.length ?? 0) + (hints.template?.length ?? 0)
  }
  const best = Math.max(...fitting.map(weight))
  return fitting.filter(candidate => weight(candidate) === best)
}

/** Without a template only the tokens are asked for. */
function holds(hints: DetectionHints, tokenizer: MarkerTokenizer, template: string | undefined): boolean {
  const has = (token: string) => hasToken(tokenizer, token)
  if (!(hints.tokens ?? []).every(has) || (hints.withoutTokens ?? []).some(has)) return false
  if (template === undefined) return true
  const holdsText = (text: string) => template.includes(text)
  return (hints.template ?? []).every(holdsText) && !(hints.withoutTemplate ?? []).some(holdsText)
}

/** Whether the vocabulary has `token` as one token. */
function hasToken(tokenizer: MarkerTokenizer, token: string): boolean {
  const ids = encodeMarker(tokenizer, token)
  return ids.length === 1 && !isUnknown(tokenizer, ids)
}

function isDeclared(strategy: Strategy, input: DetectionInput): boolean {
  const { modelType, processorClass } = input
  if (modelType !== undefined && findStrategy(modelType) === strategy) return true
  return processorClass !== undefined && strategy.processors.includes(processorClass)
}

function declaration(input: DetectionInput): string {
  const parts = [
    input.modelType === undefined ? undefined : `model_type ${input.modelType}`,
    input.processorClass === undefined ? undefined : `processor class ${input.processorClass}`,
  ]
  return parts.filter(part => part !== undefined).join(', ')
}

function masksAlike(a: Strategy, b: Strategy, tokenizer: MarkerTokenizer): boolean {
  const facts = (strategy: Strategy) => {
    const resolved = resolveStrategy(strategy, tokenizer, { boundariesOptional: true })
    return JSON.stringify([resolved.boundaries, resolved.exclude, resolved.mediaTokenIds])
  }
  return facts(a) === facts(b)
}

function describe(hints: DetectionHints, text: string | undefined): string {
  const tokens = `the vocabulary has ${(hints.tokens ?? []).join(' ')}`
  const template = text === undefined ? [] : (hints.template ?? [])
  return template.length === 0 ? tokens : `${tokens}, the chat template holds ${template.join(' ')}`
}

function ambiguous(candidates: readonly Strategy[]): LossmaskError {
  const names = candidates.map(strategy => strategy.name).join(', ')
  return new LossmaskError('strategy-ambiguous', `the tokenizer fits several families: ${names}`, {
    path: 'chat_template',
    hint: `say which with chat_template: ${candidates[0]?.name}, or declare role_boundaries`,
  })
}
