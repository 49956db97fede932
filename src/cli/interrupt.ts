import { writeSync } from 'node:fs'
import { native } from '../native.js'
import { exitCode, Interrupted } from './failure.js'

const signals = ['SIGINT', 'SIGTERM'] as const
/** How long native work may take to notice that it was stopped, in milliseconds. */
const patience = 700

/**
 * Runs work that Ctrl-C stops: the first signal aborts it and lets it clean up. Work that does not notice in time (a blocked read, a row
 * of many megabytes), and a second signal, end the process at once; what was begun is removed.
 *
 * @throws Interrupted when the work was stopped that way.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const end = () => native().endProcess(exitCode.interrupted)
  const endAndSay = () => {
    try {
      // Written at once: nothing that is queued leaves this process any more.
      writeSync(process.stderr.fd, 'lossmask: stopped; nothing was written\n')
    } finally {
      // Also where stderr is closed or full.
      end()
    }
  }
  let timer: NodeJS.Timeout | undefined
  const stop = () => {
    if (controller.signal.aborted) return end()
    controller.abort()
    timer = setTimeout(endAndSay, patience)
  }
  for (const signal of signals) process.on(signal, stop)
  try {
    const result = await work(controller.signal)
    return result
  } catch (error) {
    throw controller.signal.aborted ? new Interrupted() : error
  } finally {
    clearTimeout(timer)
    for (const signal of signals) process.off(signal, stop)
  }
}
