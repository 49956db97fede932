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
  /** The verdict when `count` exceeds the threshold; default `fail`. */
  verdict?: Exclude<Verdict, 'pass'>
  /** Share of `of` above which the verdict holds unless the config says otherwise; default 0. */
  threshold?: number
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
  if (figures === undefined) return {}
  return { first: figures.first, ...(figures.hint === undefined ? {} : { hint: figures.hint }) }
}

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
      message: `${share(report.rowsWithoutTrainedTokens, rowsRead(report))} rows have no trained token`,
      hint: 'see the near misses, roles_to_train and train_on_inputs; lossmask inspect shows the rows',
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
      message: `${share(report.rowsFullyTrained, rowsRead(report))} rows train every token`,
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
        message:
          absent.length === 0 ? 'every role to train occurs' : `no turn of ${absent.join(', ')} was found in the data`,
        hint: `roles found: ${Object.keys(report.roles).join(', ') || 'none'}`,
      }
    },
  },
  {
    code: 'end-not-trained',
    title: 'end markers trained',
    measure: ({ report, trainOnEos }) => {
      const { trained, turns } = report.ends
      const missing = turns - trained
      const wanted = trainOnEos === 'turn' || trainOnEos === 'all'
      return {
        count: missing,
        of: turns,
        verdict: wanted ? 'fail' : 'info',
        message: `end marker trained in ${share(trained, turns)} turns (train_on_eos: ${trainOnEos})`,
        hint: wanted
          ? 'a model that never learns its end marker does not stop: check pad_token, the boundaries and what follows the answers'
          : `train_on_eos: ${trainOnEos} leaves them out`,
        ...seen(report, 'end-not-trained'),
      }
    },
  },
  {
    code: 'stop-token-never-trained',
    title: "the model's stop token among the trained ends",
    measure: ({ report, stopTokens, endMarkers, trainOnInputs, trainOnEos }) => {
      if (trainOnInputs || trainOnEos === 'none' || stopTokens.length === 0 || report.ends.turns === 0) return undefined
      const shared = stopTokens.filter(token => endMarkers.includes(token))
      return {
        count: shared.length === 0 ? 1 : 0,
        verdict: 'warn',
        message:
          shared.length === 0
            ? `the model stops at ${stopTokens.join(', ')}, but turns end with ${endMarkers.join(', ') || 'no marker'}`
            : `turns end with ${shared.join(', ')}, at which the model stops`,
        hint: 'set eos_token, or lossmask.train_on_shared_end where the stop token opens the next turn',
      }
    },
  },
  {
    code: 'media-trained',
    title: 'media tokens in the loss',
    measure: ({ report }) => {
      const { tokens, trained } = report.kinds.media ?? { tokens: 0, trained: 0 }
      if (tokens === 0) return undefined
      const hint = 'media tokens are never trained: this is a fault of lossmask, please report it'
      return { count: trained, of: tokens, message: `${share(trained, tokens)} media tokens are trained`, hint }
    },
  },
  {
    code: 'truncated-trained-tokens',
    title: 'trained tokens lost to truncation',
    measure: ({ report: { truncation, trainedTokens } }) => ({
      count: truncation.trainedTokens,
      of: trainedTokens + truncation.trainedTokens,
      verdict: 'warn',
      message: `${truncation.rows} rows were cut: ${truncation.trainedTokens} trained tokens and ${truncation.turns} turns lost`,
      hint: 'raise sequence_len, or choose excess_length_strategy: drop',
    }),
  },
  {
    code: 'rows-too-long',
    title: 'rows dropped for their length',
    measure: ({ report }) => ({
      count: report.dropped['too-long'] ?? 0,
      of: rowsRead(report),
      verdict: 'warn',
      threshold: 0.01,
      message: `${share(report.dropped['too-long'] ?? 0, rowsRead(report))} rows are longer than sequence_len`,
      hint: 'raise sequence_len, or choose excess_length_strategy: truncate',
    }),
  },
  {
    code: 'unterminated-turn',
    title: 'trained turns without an end marker',
    measure: ({ report }) => ({
      count: report.unterminatedTurns,
      of: Object.values(report.roles).reduce((sum, role) => sum + role.trainedTurns, 0),
      verdict: 'warn',
      message: `${report.unterminatedTurns} trained turns have no end marker`,
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
      message: `${share(report.statuses.conflict ?? 0, rowsRead(report))} rows read differently by two routes`,
      hint: 'lossmask inspect --failing shows both readings',
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
            verdict: 'warn',
            message: `${share(report.duplicateRows, rowsRead(report))} rows occurred before`,
            hint: 'the model sees them more often than the others',
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
        message: count === 0 ? 'every row can be encoded' : `${count} rows cannot be encoded: ${reasons}`,
        hint: 'rejected.jsonl of a run with --on-error skip holds each with its reason',
      }
    },
  },
]

/** Diagnoses of single rows that an audit names even when none was made, so that a clean run says what was looked for. */
export const rowChecks: readonly { code: string; title: string }[] = [
  { code: 'typed-marker', title: 'markers typed in content' },
  { code: 'stray-end-marker', title: 'end markers that end nothing' },
  { code: 'double-bos', title: 'rows with two BOS tokens' },
  { code: 'spans-unproven', title: 'rows whose tokens cannot be laid over their text' },
  { code: 'field-not-rendered', title: 'fields of a row that never reach the text' },
]

/** Notices of the config that an audit names even when there is none. */
export const noticeChecks: readonly { code: string; title: string }[] = [
  { code: 'pad-is-eos', title: 'padding told apart from the EOS token' },
  { code: 'role-without-boundary', title: 'roles to train that have no boundary' },
]
