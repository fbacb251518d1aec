// Packs every published package as people install it, then checks the tarballs: no workspace ranges left, publint
// and attw content, and all of them together installed into an empty project, imported, and type-checked.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const root = resolve(import.meta.dirname, '..')
const bin = (name) => join(root, 'node_modules/.bin', name)
const folder = mkdtempSync(join(tmpdir(), 'castor-pack-'))
const execute = promisify(execFile)
const run = async (command, args, cwd = root) => (await execute(command, args, { cwd, maxBuffer: 2 ** 26 })).stdout
/** Packages that are checked side by side. */
const AT_ONCE = 2

try {
  const published = readdirSync(join(root, 'packages'))
    .map((name) => JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')))
    .filter((manifest) => manifest.private !== true)

  const tarballs = new Map()
  const waiting = published.values()
  await Promise.all(Array.from({ length: AT_ONCE }, () => checkEach(waiting, tarballs)))

  await installIntoEmptyProject(published, tarballs)
  console.log(`check-packages: ${published.length} packages work when installed from their tarballs`)
} catch (error) {
  console.error(`check-packages: ${error.message}\n${error.stdout ?? ''}${error.stderr ?? ''}`)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function checkEach(manifests, tarballs) {
  for (const { name } of manifests) {
    const dir = join(root, 'packages', name.split('/')[1])
    const packed = await run(bin('pnpm'), ['pack', '--json', '--pack-destination', folder], dir)
    const tarball = resolve(dir, JSON.parse(packed).filename)
    tarballs.set(name, tarball)
    const manifest = JSON.parse(await run('tar', ['-xzOf', tarball, 'package/package.json']))
    if (JSON.stringify(manifest).includes('workspace:')) throw new Error(`${name} still says "workspace:" when packed`)
    await run(bin('publint'), ['run', '--strict', tarball])
    await run(bin('attw'), ['--quiet', '--profile', 'esm-only', tarball])
    console.log(`check-packages: ${name} packs clean`)
  }
}

/** Every door of every package, imported at run time and seen by the type checker. */
async function installIntoEmptyProject(published, tarballs) {
  const project = mkdtempSync(join(tmpdir(), 'castor-project-'))
  try {
    writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }))
    const peers = [
      ...new Set(
        published.flatMap((manifest) =>
          Object.entries(manifest.peerDependencies ?? {}).map(([name, range]) => `${name}@${range}`),
        ),
      ),
    ]
    const base = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies
    const tools = [`typescript@${base.typescript}`, `@types/node@${base['@types/node']}`]
    await run(
      'npm',
      ['install', '--loglevel=error', '--no-audit', '--no-fund', ...tarballs.values(), ...peers, ...tools],
      project,
    )

    const doors = published.flatMap(({ name, exports }) =>
      Object.keys(exports)
        .filter((door) => door !== './package.json')
        .map((door) => name + door.slice(1)),
    )
    writeFileSync(
      join(project, 'use.mjs'),
      doors
        .map(
          (door, index) =>
            `import * as door${index} from '${door}'\nif (Object.keys(door${index}).length === 0) throw new Error('${door} exports nothing')`,
        )
        .join('\n'),
    )
    await run('node', ['use.mjs'], project)

    // The misspelt name proves that the types are real: were they `any`, tsc would complain of an unused directive.
    writeFileSync(
      join(project, 'use.ts'),
      doors
        .map(
          (door, index) =>
            `import * as door${index} from '${door}'\n// @ts-expect-error there is no such name\ndoor${index}.noSuchName`,
        )
        .join('\n'),
    )
    for (const mode of [
      ['nodenext', 'nodenext'],
      ['esnext', 'bundler'],
    ]) {
      await run(
        'npx',
        [
          'tsc',
          '--noEmit',
          '--strict',
          '--skipLibCheck',
          '--types',
          'node',
          '--target',
          'es2022',
          '--lib',
          'es2023,dom,dom.iterable,dom.asynciterable',
          '--module',
          mode[0],
          '--moduleResolution',
          mode[1],
          'use.ts',
        ],
        project,
      )
    }
  } finally {
    rmSync(project, { recursive: true, force: true })
  }
}
