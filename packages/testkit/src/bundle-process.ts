import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, defaultServerConditions } from 'vite'

/** Scripts that plain Node runs. */
export interface ProcessBundle {
  /** Path of the one to start. */
  script: string
  remove(): void
}

/** Makes of a source, as it is now, what a process of its own can run: with the packages of this repository, without others. */
export async function bundleProcess(source: URL): Promise<ProcessBundle> {
  const entry = fileURLToPath(source)
  // There, what is not bundled is found.
  const folder = mkdtempSync(join(packageOf(entry), 'node_modules/.castor-process-'))
  const name = basename(entry).replace(/\.\w+$/, '.mjs')
  await build({
    configFile: false,
    logLevel: 'silent',
    ssr: {
      resolve: { conditions: ['@castorjs/source', ...defaultServerConditions] },
      noExternal: [/^@castorjs\//],
    },
    build: {
      ssr: entry,
      outDir: folder,
      target: 'node20',
      rollupOptions: { output: { entryFileNames: name, chunkFileNames: '[name]-[hash].mjs' } },
    },
  })
  return { script: join(folder, name), remove: () => rmSync(folder, { recursive: true, force: true }) }
}

function packageOf(path: string): string {
  const folder = dirname(path)
  return existsSync(join(folder, 'package.json')) ? folder : packageOf(folder)
}
