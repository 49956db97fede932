import { createRequire } from 'node:module'
import { Command } from 'commander'
import { native } from '../native.js'
import { auditCommand } from './audit.js'
import { expandCommand } from './expand.js'
import { exitCode, failure } from './failure.js'
import { inspectCommand } from './inspect.js'
import { type CommandIo, printJson, say } from './io.js'
import { maskCommand } from './mask.js'
import { preprocessCommand, withDebugRows } from './preprocess.js'
import { strategiesCommand } from './strategies.js'
import { printable } from './terminal.js'

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }

/** The whole command line. */
function program(io: CommandIo): Command {
  const root = new Command('lossmask')
    .description('Decides, shows and proves which tokens of a training sequence a language model is trained on.')
    .version(version)
    .addCommand(preprocessCommand(io))
    .addCommand(auditCommand(io))
    .addCommand(inspectCommand(io))
    .addCommand(maskCommand(io))
    .addCommand(strategiesCommand(io))
    .addCommand(expandCommand(io))
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 the data or the mask is at fault, 2 the command or the config is at fault.',
    )
  for (const command of [root, ...root.commands]) {
    command
      .exitOverride()
      .showHelpAfterError('(add --help for what there is)')
      .configureOutput({
        writeOut: text => io.out.write(text),
        writeErr: text => io.err.write(printable(text)),
      })
  }
  return root
}

/** Runs `lossmask ARGS`; what the process is to end with. */
export async function runCommand(args: readonly string[], io: CommandIo): Promise<number> {
  try {
    if (process.env.LOSSMASK_VERBOSE === undefined) native().keepPanicsQuiet()
    await program(io).parseAsync(withDebugRows(args), { from: 'user' })
    return io.verdict ?? exitCode.done
  } catch (error) {
    const { text, issues, code } = failure(error)
    if (text !== undefined) say(io, `lossmask: ${text}`)
    if (issues.length > 0 && args.includes('--json')) printJson(io, { error: issues[0], issues })
    return code
  }
}
