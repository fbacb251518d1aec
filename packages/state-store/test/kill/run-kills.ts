import { bundleProcess } from '@castorjs/testkit/bundle-process'
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withEncryption } from '../../src/index.ts'
import { openFileStateStore } from '../../src/node.ts'

export interface KillReport {
  kills: number
  /** Numbers acknowledged over all runs. */
  acknowledged: number
  /** Rounds after which the store held less than was acknowledged. Must be 0. */
  lost: number
  warnings: string[]
}

/** Starts a writer, kills it with SIGKILL at a random moment, looks at what is left; again and again on one folder. */
export async function runKills(kills: number, random: () => number): Promise<KillReport> {
  const work = await mkdtemp(join(tmpdir(), 'castor-kill-'))
  const { script: child, remove } = await bundleProcess(new URL('child.ts', import.meta.url))
  const directory = join(work, 'state')
  const report: KillReport = { kills, acknowledged: 0, lost: 0, warnings: [] }
  let newest = 0
  try {
    for (let round = 0; round < kills; round++) {
      const acknowledged = await writeUntilKilled(child, directory, newest + 1, 5 + random() * 60)
      report.acknowledged += Math.max(0, acknowledged - newest)
      const plain = await openFileStateStore({ directory })
      report.warnings.push(...plain.status().warnings)
      const store = withEncryption(plain, { keys: [{ id: 'k', key: new Uint8Array(32).fill(7) }] })
      const found = await readNumber(store, 'newest')
      const slot = await readNumber(store, `slot/${acknowledged % 50}`)
      const writes = (await store.count('writes', { by: 0 })).value
      if (found < acknowledged || slot < acknowledged || writes < acknowledged) report.lost++
      newest = Math.max(found, slot, writes)
      // What the killed writer had begun but not acknowledged may or may not be there; make it whole.
      await store.set('newest', { number: newest })
      await store.count('writes', { by: newest - writes })
      await store.set(`slot/${newest % 50}`, { number: newest })
      await store.close()
    }
  } finally {
    remove()
    await rm(work, { recursive: true, force: true })
  }
  return report
}

async function readNumber(store: ReturnType<typeof withEncryption>, key: string): Promise<number> {
  return ((await store.get(key))?.value as { number: number } | undefined)?.number ?? 0
}

/** @returns The last number that the writer acknowledged, or the one before its first. */
function writeUntilKilled(child: string, directory: string, first: number, afterMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const writer = spawn(process.execPath, [child, directory, String(first)], { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    let errors = ''
    let killed = false
    writer.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
    writer.stdout.on('data', (chunk: Buffer) => {
      // The clock starts with the first write, not with the process.
      if (output === '') {
        setTimeout(() => {
          killed = true
          writer.kill('SIGKILL')
        }, afterMs)
      }
      output += chunk.toString()
    })
    writer.on('close', () => {
      if (!killed) return reject(new Error(`The writer ended by itself: ${errors}`))
      // A last line without its end was cut by the kill.
      const lines = output.slice(0, output.lastIndexOf('\n')).split('\n')
      resolve(Math.max(first - 1, ...lines.filter((line) => line !== '').map(Number)))
    })
  })
}
