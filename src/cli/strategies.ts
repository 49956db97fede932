import { Command } from 'commander'
import { LossmaskError } from '../errors.js'
import { proveFamily } from '../pipeline/selfTest.js'
import { knownStrategy, listStrategies, resolveStrategy, type SelfTest, type Strategy } from '../strategies/index.js'
import { type LoadedTokenizer, loadTokenizer } from '../tokenizer/index.js'
import { DataFault } from './failure.js'
import { type CommandIo, print, printJson } from './io.js'
import { type Paint, visible } from './terminal.js'

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
      const [entry] = entries as [Entry]
      if (name !== undefined && entry.resolved !== undefined) {
        entry.selfTest = await proveFamily(chosen[0] as Strategy, options.tokenizer as string)
      }
      if (options.json === true) printJson(io, name === undefined ? entries : entry)
      else if (name === undefined) print(io, entries.map(each => brief(each, io.paint)).join('\n'))
      else print(io, full(entry, io.paint))
      if (entry.selfTest?.passed === false) throw new DataFault(LossmaskError.of(entry.selfTest.issues))
    })
}

/** A family, and what it comes to with the tokenizer at hand. */
interface Entry extends Strategy {
  resolved?: ReturnType<typeof resolveStrategy>
  /** Why it does not fit that tokenizer. */
  unfit?: string
  /** The probe conversation as it is masked there; absent where there is nothing to prove. */
  selfTest?: SelfTest | undefined
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
      ...selfTestLines(entry, paint),
    ].map(indented),
  ].join('\n')
}

/** The probe, masked tokens red and trained ones green. */
function selfTestLines({ selfTest, resolved }: Entry, paint: Paint): string[] {
  if (resolved === undefined) return []
  if (selfTest === undefined) return ['self-test: none, the model has no chat template that takes it']
  const colour = (token: SelfTest['tokens'][number]) => (token.trained ? paint.green : paint.red)(visible(token.text))
  return [`self-test: ${selfTest.passed ? 'passed' : 'failed'}`, `  ${selfTest.tokens.map(colour).join(' ')}`]
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
