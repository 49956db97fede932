import { Interrupted } from './failure.js'

const signals = ['SIGINT', 'SIGTERM'] as const

/**
 * Runs work that Ctrl-C stops: the first signal aborts it and lets it clean up, a second one ends the process at once.
 *
 * @throws Interrupted when the work was stopped that way.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const stop = () => (controller.signal.aborted ? process.exit(130) : controller.abort())
  for (const signal of signals) process.on(signal, stop)
  try {
    const result = await work(controller.signal)
    return result
  } catch (error) {
    throw controller.signal.aborted ? new Interrupted() : error
  } finally {
    for (const signal of signals) process.off(signal, stop)
  }
}
