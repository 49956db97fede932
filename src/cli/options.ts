import { InvalidArgumentError } from 'commander'

/** A whole number that is not negative, for commander. */
export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It is a whole number.')
  return Number(text)
}

/** A whole number from 1, for commander. */
export function positiveNumber(text: string): number {
  const value = wholeNumber(text)
  if (value === 0) throw new InvalidArgumentError('It is at least 1.')
  return value
}
