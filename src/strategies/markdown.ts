import { listStrategies } from './registry.js'
import { type StrategyRow, strategyRow } from './table.js'

const HEAD = `# Model families

Generated from \`families/families.json\`; do not edit. \`npm run docs:families\` writes it anew, a test compares it.

What lossmask knows of each family: the markers of its turns, whose the end is, what is never trained, and how far that was checked.
Markers are strings here and ids only against a tokenizer: \`lossmask strategies NAME --tokenizer DIR\` shows them.

An end is *consumed* (it belongs to its turn), an *anchor* (it belongs to its turn and begins the next one's start too) or *before* (the
turn stops in front of it). A tail stands between start and content and is header; so is a token in which its white space is fused with
white space of the content.

How far a family was checked: *real vocabulary and template*, *structure only* (the real template on another vocabulary, with the family's
control tokens), or *unverified*.
`

/** \`docs/families.md\`. */
export function familiesMarkdown(): string {
  const rows = listStrategies().map(strategy => strategyRow(strategy))
  return [HEAD, overview(rows), ...rows.map(section)].join('\n')
}

function overview(rows: readonly StrategyRow[]): string {
  const lines = rows.map(row => {
    const scannable = row.scannable === true ? 'yes' : 'no'
    return `| [${row.title}](#${row.name}) | \`${row.name}\` | ${row.verified} | ${scannable} |`
  })
  return ['| family | name | checked | from ids alone |', '|---|---|---|---|', ...lines, ''].join('\n')
}

function section(row: StrategyRow): string {
  const also = row.aliases.length === 0 ? '' : ` (also ${row.aliases.map(code).join(', ')})`
  const facts = [
    `- Checked: ${row.verified}: ${row.verification}.`,
    row.scannable === true ? undefined : `- Not from ids alone: ${row.scannable}.`,
    row.template === null ? undefined : `- Template: \`chat_template: ${row.template}\`.`,
    row.exclude.length === 0 ? undefined : `- Not trained inside a turn: ${row.exclude.map(code).join(', ')}.`,
    row.media.length === 0 ? undefined : `- Media tokens: ${mediaList(row.media)}.`,
    ...row.notes.map(note => `- ${note[0]?.toUpperCase()}${note.slice(1)}.`),
  ]
  return [
    `## ${row.name}`,
    '',
    `${row.title}${also}`,
    '',
    '| role | start | tail | end |',
    '|---|---|---|---|',
    ...row.roles.map(roleLine),
    '',
    ...facts.filter(fact => fact !== undefined),
    '',
  ].join('\n')
}

function roleLine({ role, starts, tails, ends }: StrategyRow['roles'][number]): string {
  const shownEnds = ends.map(end => code(end.text) + (end.kind === 'consumed' ? '' : ` (${end.kind})`))
  const cells = [role, starts.map(code).join(' or '), tails.map(code).join(' or '), shownEnds.join(' or ')]
  // In a table even code must escape its bars.
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

/** Tile tags come by the dozen: the first, how many, and the last. */
function mediaList(media: readonly string[]): string {
  const tiles = media.filter(token => /\d/u.test(token) && !token.includes('endoftext'))
  const others = media.filter(token => !tiles.includes(token)).map(code)
  if (tiles.length > 3) others.push(`${code(tiles[0] as string)} to ${code(tiles.at(-1) as string)} (${tiles.length})`)
  else others.push(...tiles.map(code))
  return others.join(', ')
}

/** A marker as Markdown code, its line breaks visible. */
function code(marker: string): string {
  return `\`${JSON.stringify(marker).slice(1, -1)}\``
}
