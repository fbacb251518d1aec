import { stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { SingleBar } from 'cli-progress'
import { isWatermarkError } from './error.ts'
import { listPictures, removeFromFile, type FileReport } from './node.ts'

const USAGE = `Usage: castor-watermark <picture or folder> [more …] -o <picture or folder> [options]

Takes the visible Gemini mark off PNG, JPEG and BMP pictures you made. Metadata is kept byte for byte, the invisible
mark is not touched, and a picture without a mark is copied as it is.

  -o, --output <path>     Where to write: a file for one picture, a folder for more
      --dry-run           Only say what would be done
      --json              Print the report as JSON
      --report <file>     Write the report as JSON to a file
      --confidence <0-1>  Bar below which nothing counts as found (0.5)
      --quality <1-100>   Quality where a JPEG file has to be encoded again (95)
      --no-progress       No progress bar
  -h, --help              This text

Exit code: 0 when every picture could be read, 1 when one could not, 2 for wrong arguments.
`

/** One file of the run that failed. */
interface FailureReport {
  input: string
  error: string
  message: string
}

interface Job {
  input: string
  output: string
}

/** Where the command prints. */
export interface CommandOutput {
  out: (text: string) => void
  err: (text: string) => void
  /** Draws the progress bar; absent for none. */
  terminal?: NodeJS.WriteStream
}

class UsageError extends Error {}

function fail(message: string): never {
  throw new UsageError(message)
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        output: { type: 'string', short: 'o' },
        'dry-run': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        report: { type: 'string' },
        confidence: { type: 'string', default: '0.5' },
        quality: { type: 'string', default: '95' },
        'no-progress': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false
}

async function planJobs(inputs: readonly string[], output: string): Promise<Job[]> {
  const jobs: Job[] = []
  const single = inputs.length === 1 && !(await isFolder(inputs[0]!)) && !(await isFolder(output))
  for (const input of inputs) {
    if (await isFolder(input)) {
      for (const name of await listPictures(input)) jobs.push({ input: join(input, name), output: join(output, name) })
    } else {
      jobs.push({ input, output: single ? output : join(output, basename(input)) })
    }
  }
  return jobs
}

function describe(report: FileReport | FailureReport): string {
  if ('error' in report) return `${report.input}: ${report.error}: ${report.message}`
  if (report.marks.length === 0) return `${report.input}: no mark (${report.reason})`
  const marks = report.marks.map(({ mark, x, y, confidence }) => `${mark} at ${x},${y} (${confidence.toFixed(2)})`)
  return `${report.input}: ${marks.join(', ')}${report.output === undefined ? '' : ` -> ${report.output}`}`
}

/** Runs the command and returns its exit code. */
export async function run(args: readonly string[], output: CommandOutput): Promise<number> {
  try {
    return await removeAll(args, output)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    output.err(`castor-watermark: ${error.message}\n\n${USAGE}`)
    return 2
  }
}

async function removeAll(args: readonly string[], { out, terminal }: CommandOutput): Promise<number> {
  const { values, positionals } = readArguments(args)
  if (values.help) {
    out(USAGE)
    return 0
  }
  if (positionals.length === 0) fail('name a picture or a folder')
  const dryRun = values['dry-run']
  if (values.output === undefined && !dryRun) fail('name an output with -o')
  const options = { dryRun, minConfidence: Number(values.confidence), quality: Number(values.quality) }
  if (!(options.minConfidence >= 0 && options.minConfidence <= 1)) fail('--confidence must lie between 0 and 1')
  if (!(options.quality >= 1 && options.quality <= 100)) fail('--quality must lie between 1 and 100')

  const jobs = await planJobs(positionals, values.output ?? '.')
  const bar =
    jobs.length > 1 && !values['no-progress'] && terminal?.isTTY === true
      ? new SingleBar({ format: '{bar} {value}/{total} {file}', clearOnComplete: true, stream: terminal })
      : undefined
  bar?.start(jobs.length, 0, { file: '' })
  const reports: (FileReport | FailureReport)[] = []
  for (const job of jobs) {
    bar?.update({ file: basename(job.input) })
    reports.push(
      await removeFromFile(job.input, job.output, options).catch((error: unknown) => toFailure(job.input, error)),
    )
    bar?.increment()
  }
  bar?.stop()

  const json = `${JSON.stringify(reports, null, 2)}\n`
  if (values.report !== undefined) await writeFile(values.report, json)
  out(values.json ? json : reports.map((report) => `${describe(report)}\n`).join(''))
  return reports.some((report) => 'error' in report) ? 1 : 0
}

function toFailure(input: string, error: unknown): FailureReport {
  const message = error instanceof Error ? error.message : String(error)
  return { input, error: isWatermarkError(error) ? error.code : 'io', message }
}
