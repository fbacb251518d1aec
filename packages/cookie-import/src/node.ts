export { readFirefoxProfile } from './firefox.ts'
export { readImportPath } from './read-path.ts'
