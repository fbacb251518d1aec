// What a stranger may and may not have fetched. Run: node examples/refuse.mjs [url …]
import { createNodeGuardedFetch } from '@castorjs/guarded-fetch/node'

const guardedFetch = createNodeGuardedFetch({ maxBytes: 20 * 1024 * 1024 })
const urls = process.argv.slice(2)
if (urls.length === 0) urls.push('http://169.254.169.254/latest/meta-data/', 'http://2130706433/', 'file:///etc/passwd')

for (const url of urls) {
  try {
    const file = await guardedFetch(url, { signal: AbortSignal.timeout(30_000), accept: 'image/*' })
    console.log(url, file.mimeType, (await file.bytes()).byteLength)
  } catch (error) {
    console.log(url, error.code, error.message)
  }
}
