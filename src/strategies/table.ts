import { resolveStrategy } from './resolve.js'
import type { MarkerTokenizer, ResolvedStrategy, Strategy } from './types.js'

/** A family as `lossmask strategies` shows it. */
export interface StrategyRow {
  name: string
  title: string
  aliases: readonly string[]
  roles: { role: string; starts: readonly string[]; tails: readonly string[]; ends: { text: string; kind: string }[] }[]
  exclude: readonly string[]
  media: readonly string[]
  template: string | null
  /** `true`, or why ids alone cannot be scanned. */
  scannable: true | string
  verified: string
  verification: string
  notes: readonly string[]
  /** The ids, when a tokenizer was given. */
  resolved?: ResolvedStrategy
}

/** A family's data for people, with its ids for `tokenizer`. */
export function strategyRow(strategy: Strategy, tokenizer?: MarkerTokenizer): StrategyRow {
  const row: StrategyRow = {
    name: strategy.name,
    title: strategy.title,
    aliases: strategy.aliases,
    roles: strategy.roles.map(({ role, starts, tails, ends }) => ({
      role,
      starts,
      tails,
      ends: ends.map(end => ({
        text: end.text === 'eos_token' ? (end.fallback ?? end.text) : end.text,
        kind: end.kind,
      })),
    })),
    exclude: strategy.exclude.map(stretch =>
      [stretch.start, stretch.end].filter(token => token !== undefined).join(' .. '),
    ),
    media: strategy.media,
    template: strategy.template ?? null,
    scannable: strategy.scannable,
    verified: strategy.verified,
    verification: strategy.verification,
    notes: strategy.notes,
  }
  if (tokenizer === undefined) return row
  return { ...row, resolved: resolveStrategy(strategy, tokenizer, { boundariesOptional: true, unsafeScan: true }) }
}
