import { Command } from 'commander'
import { LossmaskError } from '../errors.js'
import { knownStrategy, listStrategies, resolveStrategy, type Strategy } from '../strategies/index.js'
import { type LoadedTokenizer, loadTokenizer } from '../tokenizer/index.js'
import { type CommandIo, print, printJson } from './io.js'
import type { Paint } from './terminal.js'

interface Options {
  tokenizer?: string
  json?: boolean
}

/** `lossmask strategies [NAME]` */
export function strategiesCommand(io: CommandIo): Command {
  return new Command('strategies')
    .description('List the model families, their markers and media tokens; for one family all that is known of it.')
    .argument('[name]', 'one family, as chat_template names it')
    .option('--tokenizer <model>', 'a folder or hub id: shows the ids that markers and media tokens have there')
    .option('--json', 'one JSON document on stdout')
    .action(async (name: string | undefined, options: Options) => {
      const chosen = name === undefined ? listStrategies() : [knownStrategy(name, 'NAME')]
      const tokenizer = options.tokenizer === undefined ? undefined : await loadTokenizer(options.tokenizer)
      const entries = chosen.map(strategy => entryOf(strategy, tokenizer))
      if (options.json === true) printJson(io, name === undefined ? entries : entries[0])
      else if (name === undefined) print(io, entries.map(entry => brief(entry, io.paint)).join('\n'))
      else for (const entry of entries) print(io, full(entry, io.paint))
    })
}

/** A family, and what it comes to with the tokenizer at hand. */
interface Entry extends Strategy {
  resolved?: ReturnType<typeof resolveStrategy>
  /** Why it does not fit that tokenizer. */
  unfit?: string
}

function entryOf(strategy: Strategy, tokenizer: LoadedTokenizer | undefined): Entry {
  if (tokenizer === undefined) return strategy
  try {
    return { ...strategy, resolved: resolveStrategy(strategy, tokenizer) }
  } catch (error) {
    if (!(error instanceof LossmaskError)) throw error
    return { ...strategy, unfit: error.message }
  }
}

/** A family in a few lines: its names, how turns are recognised, how far it is verified. */
function brief(entry: Entry, paint: Paint): string {
  const head = `${paint.bold(entry.name)}  ${entry.title} ${paint.dim(`(${entry.verified})`)}`
  return [head, ...(entry.resolved?.lines ?? entry.roles.map(roleLine)).map(indented), ...unfitLine(entry, paint)].join(
    '\n',
  )
}

function full(entry: Entry, paint: Paint): string {
  const list = (name: string, values: readonly string[]) =>
    values.length === 0 ? [] : [`${name}: ${values.join(', ')}`]
  return [
    brief(entry, paint),
    ...[
      ...list('also called', entry.aliases),
      ...list('processors', entry.processors),
      ...list('never trained', mediaNames(entry)),
      ...entry.exclude.map(
        ({ start, end, reason }) =>
          `left out of turns: ${quoted(start)}${end === undefined ? '' : ` to ${quoted(end)}`} (${reason})`,
      ),
      ...(entry.scannable === true ? [] : [`not to be scanned by ids: ${entry.scannable}`]),
      `verified: ${entry.verified}; ${entry.verification}`,
      ...entry.notes.map(note => `note: ${note}`),
      ...(entry.resolved?.notices ?? []).map(notice => `notice: ${notice.message} [${notice.code}]`),
    ].map(indented),
  ].join('\n')
}

function roleLine({ role, starts, ends }: Strategy['roles'][number]): string {
  const closing = ends.map(({ text, kind }) => (kind === 'consumed' ? quoted(text) : `${quoted(text)} (${kind})`))
  return `${role}: ${starts.map(quoted).join(' or ')} to ${closing.length === 0 ? 'the end of the row' : closing.join(' or ')}`
}

function mediaNames(entry: Entry): string[] {
  if (entry.resolved === undefined) return [...entry.media]
  return entry.resolved.media.map(({ token, id }) => (token === undefined ? String(id) : `${token} [${id}]`))
}

function unfitLine({ unfit }: Entry, paint: Paint): string[] {
  return unfit === undefined ? [] : [`  ${paint.yellow(`does not fit this tokenizer: ${unfit}`)}`]
}

const quoted = (text: string) => JSON.stringify(text)
const indented = (line: string) => `  ${line}`
