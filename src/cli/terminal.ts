/** Colours of a stream: the text as it is where the stream shows none. */
export interface Paint {
  red(text: string): string
  green(text: string): string
  yellow(text: string): string
  dim(text: string): string
  bold(text: string): string
}

const styles = { red: [31, 39], green: [32, 39], yellow: [33, 39], dim: [2, 22], bold: [1, 22] } as const

/**
 * The colours of `stream`: none when it is no terminal, when `NO_COLOR` is set, or on a dumb terminal; `FORCE_COLOR` asks for
 * them all the same.
 */
export function paintFor(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): Paint {
  const on = wantsColour(stream, env)
  const entries = Object.entries(styles).map(([name, [open, close]]) => [
    name,
    on ? (text: string) => `\u001b[${open}m${text}\u001b[${close}m` : (text: string) => text,
  ])
  return Object.fromEntries(entries) as Paint
}

function wantsColour(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '') return env.FORCE_COLOR !== '0'
  return stream.isTTY === true && env.TERM !== 'dumb'
}

const names: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** Characters that a terminal does not show as themselves: controls, formats (bidi, zero width, tags), line separators, lone surrogates. */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** Text from data as a terminal may show it on one line: what it would not show as itself, escape sequences included, as escapes. */
export function visible(text: string): string {
  return text.replace(unseen, escaped)
}

function escaped(char: string): string {
  const code = (char.codePointAt(0) as number).toString(16)
  return names[char] ?? (code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`)
}

/** The colours of {@link paintFor}, and nothing else that begins with an escape. */
const paintCodes = new RegExp(`\u001b\\[(?:${[...new Set(Object.values(styles).flat())].join('|')})m`, 'g')

/**
 * Text on its way to a terminal: lines and colours of our own stay, whatever data, file names or templates brought along is shown
 * escaped. The last line of defence, for all that is written; single fields are made {@link visible} where lines are put together.
 */
export function printable(text: string): string {
  const colours = text.match(paintCodes) ?? []
  return text
    .split(paintCodes)
    .map(part => part.replace(unseen, char => (char === '\n' || char === '\t' ? char : escaped(char))))
    .reduce((all, part, index) => all + colours[index - 1] + part)
}

const integer = new Intl.NumberFormat('en-US')

/** `1,234,567` */
export function count(value: number): string {
  return integer.format(value)
}

/** `1 row`, `2 rows` */
export function counted(value: number, thing: string): string {
  return `${count(value)} ${thing}${value === 1 ? '' : 's'}`
}

/** `12.3 %`; a share that is not 0 or 1 is not shown as such. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return '0.0 %'
  const share = (100 * part) / whole
  if (share > 0 && share < 0.05) return '<0.1 %'
  if (share < 100 && share > 99.95) return '>99.9 %'
  return `${share.toFixed(1)} %`
}

/** `950`, `12.3 k`, `4.56 M` */
export function short(value: number): string {
  if (value < 1000) return String(Math.round(value))
  const [scaled, unit] = value < 1e6 ? [value / 1e3, 'k'] : value < 1e9 ? [value / 1e6, 'M'] : [value / 1e9, 'G']
  return `${scaled >= 100 ? scaled.toFixed(0) : scaled >= 10 ? scaled.toFixed(1) : scaled.toFixed(2)} ${unit}`
}

/** `8.2 s`, `1:05`, `2:00:09` */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const shown = parts[0] === 0 ? parts.slice(1) : parts
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0'))).join(':')
}
