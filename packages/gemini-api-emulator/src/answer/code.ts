import type { Part } from '../request.ts'

/** Code, what it printed, and a sentence. Sums of the first primes are really computed. */
export function runCode(prompt: string): Part[][] {
  const primes = Number(/first (\d{1,4}) prime/i.exec(prompt)?.[1] ?? 0)
  const code =
    primes > 0
      ? `n, found, total = 2, 0, 0\nwhile found < ${primes}:\n    if all(n % d for d in range(2, int(n ** 0.5) + 1)):\n        found += 1\n        total += n\n    n += 1\nprint(total)\n`
      : 'print(6 * 7)\n'
  const output = `${primes > 0 ? sumOfPrimes(primes) : 42}`
  return [
    [{ executableCode: { language: 'PYTHON', code } }],
    [{ codeExecutionResult: { outcome: 'OUTCOME_OK', output: `${output}\n` } }],
    [{ text: `The code printed ${output}.` }],
  ]
}

function sumOfPrimes(count: number): number {
  const primes: number[] = []
  for (let n = 2; primes.length < count; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n)
  return primes.reduce((sum, prime) => sum + prime, 0)
}
