// Fails when a package imports a workspace package that ARCHITECTURE.md does not allow it, when the table names a
// package that is gone, or when a package is missing from it. Reads the table itself, so the page cannot lie.
import { readFileSync, readdirSync } from 'node:fs'

const SCOPE = '@castorjs/'
const table = readTable(readFileSync('ARCHITECTURE.md', 'utf8'))
const problems = []

for (const folder of ['packages', 'apps']) {
  for (const name of readdirSync(folder)) {
    const manifest = JSON.parse(readFileSync(`${folder}/${name}/package.json`, 'utf8'))
    const row = table.get(folder === 'apps' ? `apps/${name}` : name)
    if (row === undefined) {
      problems.push(`${folder}/${name} has no row in the table of ARCHITECTURE.md`)
      continue
    }
    row.seen = true
    const needed = { ...manifest.dependencies, ...manifest.peerDependencies }
    for (const dependency of Object.keys(needed)) {
      if (!dependency.startsWith(SCOPE)) continue
      const target = dependency.slice(SCOPE.length)
      if (target === 'gateway') problems.push(`${name} imports the gateway; nobody may`)
      else if (!row.anything && !row.imports.includes(target)) {
        problems.push(`${name} imports ${target}, which its row in ARCHITECTURE.md does not allow`)
      }
    }
    const outside = Object.keys(needed).filter((dependency) => !dependency.startsWith(SCOPE))
    for (const dependency of outside) {
      if (!row.anything && !row.outside.includes(dependency)) {
        problems.push(`${name} depends on ${dependency}, which its row in ARCHITECTURE.md does not name`)
      }
    }
  }
}
for (const [name, row] of table)
  if (!row.seen) problems.push(`ARCHITECTURE.md has a row for ${name}, which does not exist`)

for (const problem of problems) console.error(`check-layers: ${problem}`)
if (problems.length > 0) process.exit(1)
console.log(`check-layers: ${table.size} rows hold`)

/** Rows `| \`name\` | one line | imports | outside |` between the two markers. */
function readTable(page) {
  const part = page.split('<!-- layers -->')[1]
  if (part === undefined) throw new Error('ARCHITECTURE.md has no <!-- layers --> markers')
  const rows = new Map()
  for (const line of part.split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim())
    const name = /^`([\w/-]+)`/.exec(cells[1] ?? '')?.[1]
    if (name === undefined) continue
    rows.set(name, {
      imports: namesIn(cells[3]),
      outside: namesIn(cells[4]),
      anything: cells[3] === 'anything published',
      seen: false,
    })
  }
  return rows
}

function namesIn(cell = '') {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1])
}
