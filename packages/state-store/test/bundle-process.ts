import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

/** Makes one file of a source for a process of its own, in a folder. @returns Its path. */
export async function bundleProcess(source: URL, folder: string): Promise<string> {
  const name = 'child.mjs'
  await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      ssr: fileURLToPath(source),
      outDir: folder,
      emptyOutDir: false,
      target: 'node20',
      rollupOptions: { output: { entryFileNames: name } },
    },
  })
  return join(folder, name)
}
