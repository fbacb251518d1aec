import { emulatorBaseUrls } from '@castorjs/gemini-web-emulator'
import { startGeminiWebEmulator } from '@castorjs/gemini-web-emulator/node'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { bundleProcess } from '@castorjs/testkit/bundle-process'
import { openState } from '../../src/state/open-state.ts'
import { parseConfig } from '../../src/config.ts'
import { sessionKey } from '../../src/state/session-store.ts'
import { seeded } from './simulation.ts'

/** The whole form is 200: `node bench/accounts/run.mjs`. */
const KILLS = Number(process.env['CASTOR_KILLS'] ?? 3)
const SEED = Number(process.env['CASTOR_SEED'] ?? 20_261_120)
const PEOPLE = ['ada', 'ben', 'eva'].map((name) => ({
  name,
  session: `g.a000killed-${name}`,
  ticket: `sidts-killed-${name}`,
}))

interface Kept {
  cookies: { name: string; value: string }[]
}

it(
  `has the newest cookies after ${KILLS} times kill -9, seed ${SEED}`,
  { timeout: 60_000 + KILLS * 6_000 },
  async () => {
    const random = seeded(SEED)
    const dataDir = mkdtempSync(join(tmpdir(), 'castor-kills-'))
    const emulator = await startGeminiWebEmulator({
      port: 0,
      accounts: PEOPLE,
      settings: { checks: { rotateDistanceMs: 0 }, log: { secrets: true, size: 1_000 } },
    })
    const { controls } = emulator.emulator
    const { script, remove } = await bundleProcess(new URL('renewer.ts', import.meta.url))
    const settings = {
      dataDir,
      accounts: PEOPLE.map(({ name, session, ticket }) => ({
        label: name,
        secure1psid: session,
        secure1psidts: ticket,
      })),
      geminiWeb: { baseUrls: emulatorBaseUrls(emulator.url), guest: false },
    }
    const said: string[] = []
    let behind = 0
    let dead = 0
    const usedUnsaved: string[] = []
    /** Whether a ticket was ever sent back to the app. */
    const wasUsed = (ticket: string): boolean =>
      controls.requests.some(({ headers }) => headers['cookie']?.includes(`__Secure-1PSIDTS=${ticket}`) === true)
    try {
      for (let kill = 0; kill < KILLS; kill++) {
        const child = startRenewer(script, settings, said)
        await untilReady(child)
        await new Promise((done) => {
          setTimeout(done, random() * 150)
        })
        const ended = once(child, 'exit')
        child.kill('SIGKILL')
        await ended

        const state = await openState(parseConfig(settings))
        const truth = controls.accounts()
        for (const { name, session } of PEOPLE) {
          const kept = (await state.get(sessionKey(name)))?.value as Kept | undefined
          const ticket = kept?.cookies.find((cookie) => cookie.name === '__Secure-1PSIDTS')?.value
          const newest = truth.find((one) => one.session === session)?.ticket
          // The answer that was on the wire in the moment of the kill reached nobody; the ticket before is still taken.
          if (ticket !== newest) {
            behind++
            if (newest !== null && newest !== undefined && wasUsed(newest)) usedUnsaved.push(name)
          }
          const page = await fetch(`${emulator.hosts.app}/app`, {
            headers: { cookie: `__Secure-1PSID=${session}; __Secure-1PSIDTS=${ticket ?? ''}` },
            redirect: 'manual',
          })
          if (!(await page.text()).includes('SNlM0e')) dead++
        }
        await state.close()
      }
      const rotations = controls.accounts().reduce((sum, one) => sum + one.rotations, 0)
      console.log(JSON.stringify({ seed: SEED, kills: KILLS, rotations, onTheWire: behind, dead }))
      expect(dead).toBe(0)
      // A ticket that is in use is safe on the disk.
      expect(usedUnsaved).toEqual([])
      expect(rotations).toBeGreaterThan(KILLS)
      // At most one answer per account can be on the wire.
      expect(behind).toBeLessThanOrEqual(KILLS * PEOPLE.length)
    } finally {
      await emulator.close()
      const files = readdirSync(dataDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
      said.push(...files.map((file) => readFileSync(join(file.parentPath, file.name), 'latin1')))
      rmSync(dataDir, { recursive: true, force: true })
      remove()
    }
    expect(said.join('\n')).not.toMatch(/g\.a000|sidts-/)
  },
)

/** A process that renews every account as fast as it can. */
function startRenewer(script: string, settings: object, said: string[]): ChildProcess {
  const child = spawn(process.execPath, [script], {
    env: { ...process.env, CASTOR_SETTINGS: JSON.stringify(settings) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stderr?.on('data', (piece: Buffer) => said.push(piece.toString()))
  return child
}

/**
 * Waits until every account was renewed once. Two answers in a row that reach nobody end a session for good, here as with
 * Google; the minute between renewals, which this run lifts, keeps them apart.
 */
async function untilReady(child: ChildProcess): Promise<void> {
  const missing = new Set(PEOPLE.map(({ name }) => name))
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error('The child ended by itself')))
    child.stdout?.on('data', (piece: Buffer) => {
      for (const name of piece.toString().split('\n')) missing.delete(name)
      if (missing.size === 0) resolve()
    })
  })
}
