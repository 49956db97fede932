import type { DiagnosisFigures, Report } from '../pipeline/report.js'
import type { AuditInput, Finding, Verdict } from './types.js'

/** One thing that is looked at. `undefined`: it does not apply to this run. */
export interface Check {
  code: string
  title: string
  measure(input: AuditInput): Measure | undefined
}

/** How often something was found, and what that means. */
export interface Measure {
  count: number
  of?: number
  /** The verdict when there is any; default `fail`. */
  verdict?: Exclude<Verdict, 'pass'>
  /** Share of `of` up to which what would fail only warns; default 0. */
  failsAbove?: number
  message: string
  hint?: string
  first?: Finding['first']
}

const share = (part: number, whole: number) => `${part} of ${whole}`

/** The diagnosis of a code, when the run made one. */
function diagnosis(report: Report, code: string): DiagnosisFigures | undefined {
  return report.diagnostics.find(figures => figures.code === code)
}

/** Place and hint of what the rows themselves say about a code. */
function seen(report: Report, code: string): Pick<Measure, 'first' | 'hint'> {
  const figures = diagnosis(report, code)
  const first = figures?.first ?? report.first[code]
  return { ...(first === undefined ? {} : { first }), ...(figures?.hint === undefined ? {} : { hint: figures.hint }) }
}

/** A count with what was said of the first row. */
function withFirst(report: Report, code: string, count: string): string {
  const figures = diagnosis(report, code)
  return figures === undefined ? count : `${count}; the first: ${figures.message}`
}

const trainedTurns = ({ roles }: Report) => Object.values(roles).reduce((sum, role) => sum + role.trainedTurns, 0)

const rowsRead = ({ rowsRead }: Report) => rowsRead

/** Checks that need more than one figure of the run. Those that are a row diagnosis and nothing else are in {@link rowChecks}. */
export const runChecks: readonly Check[] = [
  {
    code: 'no-rows',
    title: 'rows read',
    measure: ({ report }) => ({
      count: report.rowsRead === 0 ? 1 : 0,
      message: report.rowsRead === 0 ? 'the data files hold no row' : `${report.rowsRead} rows`,
      hint: 'check path, data_files and ds_type of the datasets',
    }),
  },
  {
    code: 'no-trained-token',
    title: 'rows with nothing trained',
    measure: ({ report }) => ({
      count: report.rowsWithoutTrainedTokens,
      of: rowsRead(report),
      message: withFirst(
        report,
        'no-trained-token',
        `${share(report.rowsWithoutTrainedTokens, rowsRead(report))} rows`,
      ),
      ...seen(report, 'no-trained-token'),
    }),
  },
  {
    code: 'everything-trained',
    title: 'rows with everything trained',
    measure: ({ report, trainOnInputs }) => ({
      count: report.rowsFullyTrained,
      of: rowsRead(report),
      verdict: trainOnInputs ? 'info' : 'fail',
      message: `${share(report.rowsFullyTrained, rowsRead(report))} rows`,
      hint: trainOnInputs ? 'train_on_inputs: true asks for it' : 'prompts are trained too: check the role boundaries',
      ...seen(report, 'everything-trained'),
    }),
  },
  {
    code: 'role-never-trained',
    title: 'roles to train that never occur',
    measure: ({ report, rolesToTrain, trainOnInputs }) => {
      if (trainOnInputs || rowsRead(report) === 0) return undefined
      const absent = rolesToTrain.filter(role => (report.roles[role]?.turns ?? 0) === 0)
      return {
        count: absent.length,
        of: rolesToTrain.length,
        verdict: absent.length === rolesToTrain.length ? 'fail' : 'warn',
        message: absent.length === 0 ? 'none' : `no turn of ${absent.join(', ')} is in the data`,
        hint: `roles found: ${Object.keys(report.roles).join(', ') || 'none'}`,
      }
    },
  },
  {
    code: 'end-not-trained',
    title: 'end markers trained',
    measure: ({ report, rolesToTrain, trainOnEos, endsApart }) => {
      const { trained, turns } = report.ends
      const wanted = trainOnEos === 'turn' || trainOnEos === 'all'
      if (turns === 0) {
        const answers = trainedTurns(report)
        // Where the next turn opens with what ends an answer, that is `stop-token-never-trained`.
        if (!wanted || !endsApart || answers === 0 || rolesToTrain.length === 0) return undefined
        return {
          count: answers,
          of: answers,
          message: `no end is found after any of ${answers} trained turns (train_on_eos: ${trainOnEos})`,
          hint: 'a model that never learns where to stop does not stop: name the token that ends its turns as eos_token, under eot_tokens or in role_boundaries',
        }
      }
      const missing = turns - trained
      return {
        count: missing,
        of: turns,
        verdict: wanted ? 'fail' : 'info',
        message: `in ${share(trained, turns)} turns (train_on_eos: ${trainOnEos})`,
        hint: wanted
          ? 'a model that never learns its end marker does not stop: check pad_token, the boundaries and what follows the answers'
          : `train_on_eos: ${trainOnEos} leaves them out`,
        ...seen(report, 'end-not-trained'),
      }
    },
  },
  {
    code: 'stop-token-never-trained',
    title: 'stop token of the model trained',
    measure: ({ report, stopTokens, stopTokensDeclared, trainOnInputs, trainOnEos }) => {
      if (trainOnInputs || trainOnEos === 'none' || stopTokens.length === 0 || report.ends.turns === 0) return undefined
      const { tokens, turns } = report.ends
      const trained = stopTokens.reduce((sum, { id }) => sum + (tokens[id] ?? 0), 0)
      const names = stopTokens.map(({ text }) => text).join(', ')
      return {
        count: trained === 0 ? 1 : 0,
        verdict: stopTokensDeclared ? 'fail' : 'warn',
        message: `${names} in ${share(trained, turns)} turns`,
        hint: 'name the token that ends its turns as eos_token, or set lossmask.train_on_shared_end where the stop token opens the next turn',
      }
    },
  },
  {
    code: 'media-trained',
    title: 'media tokens in the loss',
    measure: ({ report }) => {
      const { tokens = 0 } = report.kinds.media ?? {}
      const rows = diagnosis(report, 'media-trained')?.rows ?? 0
      return {
        count: rows,
        of: rowsRead(report),
        message:
          rows > 0
            ? withFirst(report, 'media-trained', `${share(rows, rowsRead(report))} rows`)
            : tokens === 0
              ? 'none'
              : `0 of ${tokens} tokens`,
        ...seen(report, 'media-trained'),
      }
    },
  },
  {
    code: 'truncated-trained-tokens',
    title: 'trained tokens lost to truncation',
    measure: ({ report }) => {
      const { truncation, trainedTokens } = report
      return {
        count: truncation.trainedTokens,
        of: trainedTokens + truncation.trainedTokens,
        failsAbove: 0.01,
        message:
          truncation.rows === 0
            ? 'none'
            : `${share(truncation.trainedTokens, trainedTokens + truncation.trainedTokens)} tokens; rows cut: ${truncation.rows}`,
        ...seen(report, 'row-truncated'),
      }
    },
  },
  {
    code: 'rows-too-long',
    title: 'rows longer than sequence_len',
    measure: ({ report }) => ({
      count: report.dropped['too-long'] ?? 0,
      of: rowsRead(report),
      verdict: 'warn',
      message: `${share(report.dropped['too-long'] ?? 0, rowsRead(report))} rows`,
      hint: 'raise sequence_len, or choose excess_length_strategy: truncate',
      ...seen(report, 'rows-too-long'),
    }),
  },
  {
    code: 'unterminated-turn',
    title: 'trained turns without an end marker',
    measure: ({ report, ownEnds }) => ({
      count: report.unterminatedTurns,
      of: trainedTurns(report),
      // Where the next turn opens with what ends an answer, the last answer of a row has none.
      verdict: ownEnds ? 'fail' : 'warn',
      message: `${share(report.unterminatedTurns, trainedTurns(report))} turns`,
      hint: 'the rows may be cut, or the template may write no end behind the last answer',
      ...seen(report, 'unterminated-turn'),
    }),
  },
  {
    code: 'routes-differ',
    title: 'rows whose routes disagree',
    measure: ({ report }) => ({
      count: report.statuses.conflict ?? 0,
      of: rowsRead(report),
      message: withFirst(report, 'routes-differ', `${share(report.statuses.conflict ?? 0, rowsRead(report))} rows`),
      hint: 'lossmask inspect --failing shows the rows',
      ...seen(report, 'routes-differ'),
    }),
  },
  {
    code: 'duplicate-rows',
    title: 'rows that occur more than once',
    measure: ({ report }) =>
      report.duplicateRows === null
        ? undefined
        : {
            count: report.duplicateRows,
            of: rowsRead(report),
            failsAbove: 0.01,
            message: `${share(report.duplicateRows, rowsRead(report))} rows`,
            hint: 'the model sees them more often than the others: drop them from the data',
            ...seen(report, 'duplicate-rows'),
          },
  },
  {
    code: 'rows-rejected',
    title: 'rows that cannot be encoded',
    measure: ({ report }) => {
      const rejected = Object.entries(report.rejected)
      const count = rejected.reduce((sum, [, rows]) => sum + rows, 0)
      const reasons = rejected.map(([code, rows]) => `${rows} ${code}`).join(', ')
      return {
        count,
        of: rowsRead(report),
        message: `${share(count, rowsRead(report))} rows${reasons === '' ? '' : `: ${reasons}`}`,
        hint: 'preprocess stops at the first of them; --on-error skip writes each to rejected.jsonl with its reason',
        ...(reasons === '' ? {} : { first: diagnosis(report, rejected[0]?.[0] ?? '')?.first }),
      }
    },
  },
]

/** Diagnoses of single rows that an audit names even when none was made, so that a clean run says what was looked for. */
export const rowChecks: readonly { code: string; title: string }[] = [
  { code: 'near-miss', title: 'start markers that are not whole' },
  { code: 'typed-marker', title: 'markers typed in content' },
  { code: 'stray-end-marker', title: 'end markers that end nothing' },
  { code: 'double-bos', title: 'rows with two BOS tokens' },
  { code: 'spans-unproven', title: 'rows with tokens that do not spell the text' },
  { code: 'field-not-rendered', title: 'fields that never reach the text' },
  { code: 'unread-keys', title: 'keys of messages that nothing reads' },
  { code: 'nulls-dropped', title: 'keys of null left out of tools and tool calls' },
  { code: 'history-rewritten', title: 'answers that later messages change' },
]

/** Notices of the config that an audit names even when there is none. */
export const noticeChecks: readonly { code: string; title: string }[] = [
  { code: 'self-test-failed', title: 'probe conversation masked wrongly' },
  { code: 'pad-is-end-marker', title: 'pad token that ends turns' },
  { code: 'pad-is-eos', title: 'pad token that is the EOS token' },
  { code: 'role-without-boundary', title: 'roles to train without boundaries' },
]

/** Notices of the config that make an audit fail: the others only warn. */
export const failingNotices: ReadonlySet<string> = new Set([
  'self-test-failed',
  'pad-is-end-marker',
  'role-without-boundary',
])

/** The code of every check. */
export const checkCodes: readonly string[] = [...runChecks, ...rowChecks, ...noticeChecks].map(({ code }) => code)
