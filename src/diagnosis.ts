/** How bad a finding is. */
export type Severity = 'info' | 'warning' | 'error'

/** What is odd about a row. */
export interface RowDiagnosis {
  code: string
  severity: Severity
  message: string
  hint?: string
  /** First token it is about, and behind the last one. */
  start?: number
  end?: number
}
