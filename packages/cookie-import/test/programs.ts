import { spawnSync } from 'node:child_process'

/** Why a test is left out: the program is not on this machine. Undefined where it is. */
export function missing(program: string, debianPackage = program): string | undefined {
  if (spawnSync(program, ['--version']).status === 0) return undefined
  return `${program} is not installed: its tests are left out (apt-get install ${debianPackage})`
}

/** Chromium as root on a machine without a screen or a way out. */
export const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
