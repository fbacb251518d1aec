import { DEMO_ACCOUNTS, type DrawMark } from '@castorjs/gemini-web-emulator'
import { pino } from 'pino'
import { startDemo, type Demo } from '../src/demo.ts'

/** Emulators and gateway on loopback ports, wired as `npm run demo` wires them, with one account. */
export interface Stack extends Demo {
  emulator: Demo['web']
  /** Everything the gateway logged, one JSON line each. */
  logLines: string[]
  close: () => Promise<void>
}

export interface StackOptions {
  /** Changes to the gateway's configuration. */
  config?: Record<string, unknown>
  /** No account: the gateway is a guest. */
  guest?: boolean
  /** Marks the emulator's pictures. Default: as the web app does. */
  drawMark?: DrawMark
}

export async function startStack({ config = {}, guest = false, drawMark }: StackOptions = {}): Promise<Stack> {
  const logLines: string[] = []
  const log = pino({ level: 'debug', base: null }, { write: (line: string) => void logLines.push(line) })
  const [ada] = DEMO_ACCOUNTS
  const account = { label: 'ada', secure1psid: ada?.session, secure1psidts: ada?.ticket }
  const accounts = guest ? [] : [account]
  const demo = await startDemo({
    port: 0,
    emulatorPort: 0,
    log,
    config: { accounts, remoteFiles: {}, ...config },
    ...(drawMark === undefined ? {} : { drawMark }),
  })
  return { ...demo, emulator: demo.web, logLines, close: () => demo.close(0) }
}
