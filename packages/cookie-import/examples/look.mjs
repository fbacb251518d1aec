// Says what an export holds, without showing a value. Run: node examples/look.mjs [file or Firefox profile]
import { isCookieImportError, readImport } from '@castorjs/cookie-import'
import { readImportPath } from '@castorjs/cookie-import/node'

const EXAMPLE = `curl 'https://gemini.google.com/u/1/app' -b '__Secure-1PSID=g.a000-example; __Secure-1PSIDTS=sidts-example; NID=5'`
try {
  const path = process.argv[2]
  const found = path === undefined ? readImport(EXAMPLE) : await readImportPath(path)
  console.log(`${found.form}: ${found.names.join(', ')}`)
  console.log(`account /u/${found.accountIndex ?? 0}${found.deviceBound ? ', bound to its device' : ''}`)
  for (const sentence of found.advice) console.log('-', sentence)
} catch (error) {
  if (!isCookieImportError(error)) throw error
  console.log(`${error.code}: ${error.message}`)
}
